//! The schema's migrations, in order. The number of each is its place, from 1, and the beginning of its file's name. They are named here by hand,
//! because sqlx's macro, which would find them, has both database drivers compiled a second time.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use std::sync::LazyLock;

const TEXTS: [&str; 22] = [
    include_str!("../migrations/0001_catalog.sql"),
    include_str!("../migrations/0002_orders.sql"),
    include_str!("../migrations/0003_large_catalogues.sql"),
    include_str!("../migrations/0004_order_ledgers.sql"),
    include_str!("../migrations/0005_staff.sql"),
    include_str!("../migrations/0006_coupons.sql"),
    include_str!("../migrations/0007_sourcing.sql"),
    include_str!("../migrations/0008_mail.sql"),
    include_str!("../migrations/0009_find_orders.sql"),
    include_str!("../migrations/0010_waiting_by_market.sql"),
    include_str!("../migrations/0011_events_in_order.sql"),
    include_str!("../migrations/0012_odd_amounts.sql"),
    include_str!("../migrations/0013_order_waits.sql"),
    include_str!("../migrations/0014_goodwill.sql"),
    include_str!("../migrations/0015_promotions.sql"),
    include_str!("../migrations/0016_tax_scopes.sql"),
    include_str!("../migrations/0017_invoices.sql"),
    include_str!("../migrations/0018_table_edits.sql"),
    include_str!("../migrations/0019_price_windows.sql"),
    include_str!("../migrations/0020_handling_days.sql"),
    include_str!("../migrations/0021_customer_segments.sql"),
    include_str!("../migrations/0022_newsletter.sql"),
];

/// All of them, as sqlx runs them.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |(version, text): (i64, &'static str)| Migration::new(version, "".into(), MigrationType::Simple, text.into_sql_str(), false);
    Migrator::with_migrations((1..).zip(TEXTS).map(migration).collect())
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_migration_in_its_place() -> anyhow::Result<()> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
        files.sort();
        let texts = files.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
        assert_eq!(texts, TEXTS);
        for (file, migration) in files.iter().zip(MIGRATOR.iter()) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            assert!(name.starts_with(&format!("{:04}_", migration.version)), "{name} is migration {}", migration.version);
        }
        Ok(())
    }
}
