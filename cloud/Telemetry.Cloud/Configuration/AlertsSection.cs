using Telemetry.Processing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Alerts;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>alerts</c>, its rules file too.</summary>
internal static class AlertsSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1),
        Day = TimeSpan.FromDays(1);

    public static AlertOptions Read(SettingsReader reader)
    {
        var or = new AlertOptions();
        var rules = or.Rules;
        if (reader.Text("alerts.rules") is { } file)
        {
            rules = AlertRulesFile.Read(file, out var problems) ?? rules;
            foreach (var problem in problems)
            {
                reader.Problem("alerts.rules", problem);
            }
        }

        return or with
        {
            Rules = rules,
            WatchesMax = reader.Number("alerts.watchesMax", or.WatchesMax, 1, 1_000_000),
            InstancesPerFrameMax = reader.Number("alerts.instancesPerFrameMax", or.InstancesPerFrameMax, 1, 8192),
            AheadMax = reader.Span("alerts.aheadMax", or.AheadMax, Second, 365 * Day),
        };
    }

    public static AlertOutboxOptions ReadOutbox(SettingsReader reader)
    {
        var or = new AlertOutboxOptions();
        return or with
        {
            Keep = reader.Span("alerts.outbox.keep", or.Keep, Hour, 3650 * Day),
            RowsMax = reader.Number("alerts.outbox.rowsMax", or.RowsMax, 1000, 1_000_000_000),
        };
    }
}
