using System.Text.Json;
using System.Text.Json.Serialization;

namespace Telemetry.Storage.Alerts;

/// <summary>How an alert instance changed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AlertKind>))]
public enum AlertKind
{
    /// <summary>Its condition held for as long as the rule requires: it is open.</summary>
    [JsonStringEnumMemberName("firing")]
    Firing,

    /// <summary>The value came back behind the rule's clear threshold: it is closed.</summary>
    [JsonStringEnumMemberName("resolved")]
    Resolved,

    /// <summary>Readings that came later showed that it began or ended at other times.</summary>
    [JsonStringEnumMemberName("revised")]
    Revised,

    /// <summary>Readings that came later showed that there was no such instance.</summary>
    [JsonStringEnumMemberName("retracted")]
    Retracted,
}

/// <summary>
/// One change of one alert instance: a row of the alert outbox, and the data of the event that is published to Kafka.
/// The same reading gives the same transition with the same id, however often it is evaluated.
/// </summary>
public sealed record AlertTransition
{
    /// <summary>
    /// 32 hex digits: a hash of rule, rule version, instance, kind and event time; of a correction, of its content.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>
    /// 32 hex digits: one open interval of one rule on one series; keeps the id of its first publication.
    /// </summary>
    public required string Instance { get; init; }

    /// <summary>The rule's name in the rules file.</summary>
    public required string Rule { get; init; }

    /// <summary>16 hex digits: a hash of the rule's content.</summary>
    public required string RuleVersion { get; init; }

    public required AlertKind Kind { get; init; }

    /// <summary>How often the instance was corrected by then; 0 for one that never was.</summary>
    public int Revision { get; init; }

    public required string Severity { get; init; }

    public required string Gateway { get; init; }

    public required string Device { get; init; }

    public required string Metric { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new SortedDictionary<string, string>();

    /// <summary>32 hex digits: the series' identity.</summary>
    public required string SeriesKey { get; init; }

    /// <summary>
    /// Event time of the reading that caused it, in microseconds since 1970 UTC. Of a correction: when the instance
    /// ended, or opened if it is open.
    /// </summary>
    public required long TimeMicros { get; init; }

    /// <summary>Event time of the first reading of the instance that met the condition.</summary>
    public required long StartedMicros { get; init; }

    /// <summary>
    /// When the instance opened and, unless it is open, when it ended. Only corrections have these two.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? FiredMicros { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? EndedMicros { get; init; }

    /// <summary>The value of that reading; of a correction of kind revised or retracted, the peak.</summary>
    public required double Value { get; init; }

    /// <summary>The threshold that the value crossed.</summary>
    public required double Threshold { get; init; }

    /// <summary>True when the reading arrived so late that nobody should be paged for it.</summary>
    public bool Late { get; init; }

    /// <summary>
    /// The time from the event to its arrival in the log; of what was found by running a rule again, to the watermark.
    /// </summary>
    public long DetectionDelayMicros { get; init; }

    /// <summary>
    /// The frame that carried the reading: its key as text, after the gateway. Empty when a rule was run again: stored
    /// readings do not name their frames.
    /// </summary>
    public required string Frame { get; init; }

    /// <summary>W3C trace context of the frame; empty where there is none.</summary>
    public required string TraceParent { get; init; }

    /// <summary>
    /// The form in the alert outbox and in Kafka: JSON in UTF-8. The same transition gives the same bytes.
    /// </summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, AlertJson.Default.AlertTransition);

    /// <summary>Reads what <see cref="ToJson"/> wrote; throws <see cref="JsonException"/> for anything else.</summary>
    public static AlertTransition FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, AlertJson.Default.AlertTransition)
            ?? throw new JsonException("the JSON is null; an object is expected");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(AlertTransition))]
internal sealed partial class AlertJson : JsonSerializerContext;
