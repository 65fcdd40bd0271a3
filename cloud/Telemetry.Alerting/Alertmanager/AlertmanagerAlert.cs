using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Alertmanager;

/// <summary>One alert of Alertmanager's API v2.</summary>
/// <param name="Labels">Its identity.</param>
/// <param name="Annotations">Words for people.</param>
/// <param name="StartsAt">When it fired.</param>
/// <param name="EndsAt">When it ended; while it is open, until when it counts without being sent again.</param>
/// <param name="Link">Where people see it; null: nowhere.</param>
public sealed record AlertmanagerAlert(
    IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations,
    DateTimeOffset StartsAt, DateTimeOffset EndsAt, string? Link)
{
    /// <summary>The name of the summary of an outage.</summary>
    public const string SummaryName = "TelemetryOutageSummary";

    /// <summary>Makes it of an alert of the history.</summary>
    public static AlertmanagerAlert Of(RaisedAlert alert, AlertmanagerOptions options, DateTimeOffset now)
    {
        var labels = new AlertmanagerLabels().Add("alertname", alert.Key.Rule).Add("severity", alert.Key.Severity)
            .Add("gateway", alert.Key.Gateway).Add("device", alert.Device).Add("metric", alert.Metric)
            .Add("site", alert.Site).AddSeries(alert.Labels, alert.Key.Series.Span);
        // A clock that is ahead must not make an alert of the future, which Alertmanager would take for open.
        var startsAt = Earlier(Time(alert.FiredMicros), now);
        var endsAt = alert.State == AlertInstanceState.Firing
            ? now + options.EndsAfter
            : Earlier(alert.EndedMicros is { } ended ? Time(ended) : alert.ChangedAt, now);
        var place = string.Join(' ', ((string[])[alert.Device, alert.Metric]).Where(t => t.Length > 0));
        var peak = alert.Peak.ToString("R", CultureInfo.InvariantCulture);
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["summary"] = $"{alert.Key.Rule}: {place} of {alert.Key.Gateway}, peak {peak}",
            ["peak"] = peak,
            ["began"] = Text(Time(alert.BeganMicros)),
            ["id"] = alert.Id,
        };
        if (alert.State == AlertInstanceState.Retracted)
        {
            annotations["retracted"] = "Readings that came later showed that there was no such alert.";
        }

        return new AlertmanagerAlert(
            labels.All, annotations, startsAt, endsAt < startsAt ? startsAt : endsAt,
            options.Dashboard is { } dashboard
                ? $"{dashboard.AbsoluteUri.TrimEnd('/')}/alerts?gateway={Uri.EscapeDataString(alert.Key.Gateway)}"
                : null);
    }

    /// <summary>Makes it of what became known late of a gateway. It ends by itself.</summary>
    public static AlertmanagerAlert Of(OutageSummary outage, AlertmanagerOptions options, DateTimeOffset now)
    {
        var labels = new AlertmanagerLabels().Add("alertname", SummaryName).Add("severity", "info")
            .Add("gateway", outage.Gateway).Add("site", outage.Sites is [var site] ? site : "");
        var more = outage.Fired - outage.Names.Count;
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["summary"] = string.Create(
                CultureInfo.InvariantCulture,
                $"While {outage.Gateway} was away, {outage.Fired} alerts fired and {outage.Fired - outage.Open} "
                + $"resolved; {outage.Open} are open"),
            ["alerts"] = string.Join('\n', outage.Names) + (more > 0 ? $"\nand {more} more" : ""),
            ["began"] = Text(Time(outage.FromMicros)),
            ["ended"] = Text(Time(outage.ToMicros)),
        };
        var startsAt = Earlier(outage.FirstAt, now);
        var endsAt = outage.LastAt + options.SummaryFor;
        return new AlertmanagerAlert(
            labels.All, annotations, startsAt, endsAt < startsAt ? startsAt : endsAt, null);
    }

    /// <summary>The body of a request.</summary>
    public static ReadOnlyMemory<byte> ToJson(IReadOnlyList<AlertmanagerAlert> alerts)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartArray();
        foreach (var alert in alerts)
        {
            json.WriteStartObject();
            Write(json, "labels", alert.Labels);
            Write(json, "annotations", alert.Annotations);
            json.WriteString("startsAt", Text(alert.StartsAt));
            json.WriteString("endsAt", Text(alert.EndsAt));
            if (alert.Link is not null)
            {
                json.WriteString("generatorURL", alert.Link);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Flush();
        return bytes.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> texts)
    {
        json.WriteStartObject(name);
        foreach (var (key, text) in texts)
        {
            json.WriteString(key, text);
        }

        json.WriteEndObject();
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    // Alertmanager takes years from 1 to 9999; readings may have any time.
    private static DateTimeOffset Time(long micros) => DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(
        Math.Clamp(micros, -62_135_596_800_000_000 + 86_400_000_000, 253_402_300_799_999_999)
        * TimeSpan.TicksPerMicrosecond);

    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
