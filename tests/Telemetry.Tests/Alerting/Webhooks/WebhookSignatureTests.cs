using System.Text;
using Telemetry.Alerting.Webhooks;

namespace Telemetry.Tests.Alerting.Webhooks;

/// <summary>The signature that a receiver computes too.</summary>
public sealed class WebhookSignatureTests
{
    [Fact]
    public void Signature_is_that_of_time_dot_and_body_by_each_secret() =>
        // printf '1767225600.{"a":1}' | openssl dgst -sha256 -hmac 'first secret 123'
        Assert.Equal(
            "v1=c38c71a170ea900af8895df07a232553b1d5e0d8b9778b0f86c2ff9b960cccf1,"
            + "v1=330ce66f5a74f4b5f5dffedc322d74fdd8fc03dab078ff997c76398541a6f97d",
            WebhookSignature.Of(
                [Encoding.UTF8.GetBytes("first secret 123"), Encoding.UTF8.GetBytes("second secret 12")], 1_767_225_600,
                "{\"a\":1}"u8));
}
