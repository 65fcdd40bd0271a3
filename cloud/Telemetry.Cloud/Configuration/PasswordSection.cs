using Telemetry.Ingress.Access;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>ingress.passwords</c>.</summary>
internal static class PasswordSection
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1), Hour = TimeSpan.FromHours(1);

    // A refusal has to be said before the connection's time to connect is over.
    private static readonly TimeSpan RefuseAfterMax = TimeSpan.FromSeconds(5);

    public static PasswordOptions Read(SettingsReader reader)
    {
        var or = new PasswordOptions();
        var options = or with
        {
            Workers = reader.Number("ingress.passwords.workers", or.Workers, 0, 64),
            WaitingMax = reader.Number("ingress.passwords.waitingMax", or.WaitingMax, 1, 65_536),
            WaitingPerSenderMax = reader.Number(
                "ingress.passwords.waitingPerSenderMax", or.WaitingPerSenderMax, 1, 1024),
            FailuresFree = reader.Number("ingress.passwords.failuresFree", or.FailuresFree, 1, 1000),
            PauseFirst = reader.Span("ingress.passwords.pauseFirst", or.PauseFirst, Millisecond, Hour),
            PauseMax = reader.Span("ingress.passwords.pauseMax", or.PauseMax, Millisecond, Hour),
            SendersMax = reader.Number("ingress.passwords.sendersMax", or.SendersMax, 16, 1_000_000),
            RefuseAfter = reader.Span(
                "ingress.passwords.refuseAfter", or.RefuseAfter, TimeSpan.Zero, RefuseAfterMax),
        };
        if (options.PauseFirst > options.PauseMax)
        {
            reader.NotAllowed(
                "ingress.passwords.pauseFirst", SettingUnits.Show(options.PauseFirst),
                $"at most ingress.passwords.pauseMax ({SettingUnits.Show(options.PauseMax)})");
        }

        return options;
    }
}
