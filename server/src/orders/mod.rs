//! The order core: holds, orders and their ledgers, decided in SQL transactions on the writer.
