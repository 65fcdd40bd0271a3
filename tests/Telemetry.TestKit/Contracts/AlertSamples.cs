using System.Globalization;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Contracts;

/// <summary>Transitions, outbox rows and records as tests need them.</summary>
public static class AlertSamples
{
    /// <summary>
    /// A transition whose id says which one it is; another <paramref name="story"/> gives another id.
    /// </summary>
    public static AlertTransition Transition(int partition, long number, int story = 0) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"{story:x8}{partition:x8}{number:x16}"),
        Instance = new string('1', 32),
        Rule = "too hot",
        RuleVersion = "00000000000000ff",
        Kind = number % 2 == 1 ? AlertKind.Firing : AlertKind.Resolved,
        Severity = "critical",
        Gateway = $"gw-{partition}",
        Device = $"pump-{partition}-{number % 7}",
        Metric = "temperature",
        SeriesKey = "0000000000000001",
        TimeMicros = 1_767_225_600_000_000 + number,
        StartedMicros = 1_767_225_600_000_000,
        Value = 81.5,
        Threshold = 80,
        Late = number % 5 == 0,
        DetectionDelayMicros = 1_500_000,
        Frame = $"gw-{partition}/0000000000000007/live/1+1",
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };

    /// <summary>The outbox row of a transition, behind a head.</summary>
    public static AlertOutboxRow Row(int partition, AlertHead after, int story = 0) =>
        Row(partition, after, Transition(partition, after.Number + 1, story));

    /// <summary>The outbox row of a transition, behind a head.</summary>
    public static AlertOutboxRow Row(int partition, AlertHead after, AlertTransition transition)
    {
        var json = transition.ToJson();
        return new AlertOutboxRow(partition, after.Next(json), transition.Id, json);
    }

    /// <summary>Rows 1 to count of a partition.</summary>
    public static List<AlertOutboxRow> Rows(int partition, int count)
    {
        var rows = new List<AlertOutboxRow>();
        for (var head = AlertHead.None; rows.Count < count; head = rows[^1].Head)
        {
            rows.Add(Row(partition, head));
        }

        return rows;
    }

    /// <summary>The record of a row.</summary>
    public static AlertRecord Record(AlertOutboxRow row, long since = 0) =>
        AlertRecord.Of(row, since, "/telemetry", out _);
}
