using System.Diagnostics;
using System.Net;
using Telemetry.Ingress.Access;
using Telemetry.Model.Identity;
using Telemetry.MqttSessions;

namespace Telemetry.Integration.Ingress;

/// <summary>Two hundred CONNECTs a second that have no right, and a gateway that has one.</summary>
public sealed class PasswordAttackTests
{
    private const int PerSecond = 200;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(2);

    [NatsTheory]
    [InlineData("127.0.0.2", "stranger-{0}")]
    [InlineData("127.0.0.2", "gw-1")]
    [InlineData("127.0.0.1", "stranger-{0}")]
    [InlineData("127.0.0.1", "gw-2")]
    public async Task Gateway_that_was_never_let_in_connects_within_two_seconds(string from, string user)
    {
        await using var stand = await IngressStand.Start(passwords: Hashed());
        await using var attack = new PasswordAttack(
            stand.Ingress.Port, IPAddress.Parse(from), PerSecond,
            number => string.Format(System.Globalization.CultureInfo.InvariantCulture, user, number));
        await UntilAsync(() => attack.Sent > 2 * PerSecond);

        var since = Stopwatch.StartNew();
        await using var honest = await stand.Connect();

        Assert.Equal(MqttReasonCode.Success, honest.Connected!.ReasonCode);
        Assert.InRange(since.Elapsed, TimeSpan.Zero, Within);
    }

    private static GatewayPasswords Hashed() => GatewayPasswords.Read(
        [
            GatewayPasswords.Line(GatewayId.Parse("gw-1"), "one"u8),
            GatewayPasswords.Line(GatewayId.Parse("gw-2"), "two"u8),
        ],
        plain: false);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 3000, "it did not come to hold");
            await Task.Delay(10);
        }
    }
}
