//! The DynamoDB table behind the unmodified AWS SDK, embedded or real.
