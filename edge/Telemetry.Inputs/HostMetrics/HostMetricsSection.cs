using Telemetry.Runtime.Settings;

namespace Telemetry.Inputs.HostMetrics;

/// <summary>Reads section <c>hostMetrics</c> of an agent's configuration.</summary>
internal static class HostMetricsSection
{
    private const int DeviceLengthMax = 64;

    public static HostMetricsOptions Read(SettingsReader reader)
    {
        var or = new HostMetricsOptions();
        var options = or with
        {
            Interval = reader.Span(
                "hostMetrics.interval", or.Interval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(24)),
            CommitDeadline = reader.Span(
                "hostMetrics.commitDeadline", or.CommitDeadline, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            Device = reader.Text("hostMetrics.device", or.Device),
            Root = reader.Text("hostMetrics.root", or.Root),
        };
        if (options.Device.Length > DeviceLengthMax)
        {
            reader.NotAllowed("hostMetrics.device", options.Device, $"1 to {DeviceLengthMax} characters");
        }

        return options;
    }
}
