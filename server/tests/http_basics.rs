//! What every answer of the shop has in common.

mod support;

#[tokio::test]
async fn a_healthy_shop_says_so() -> anyhow::Result<()> {
    let shop = support::start().await?;
    let answer = shop.visitor().get("/healthz").await?;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    shop.stop().await
}
