using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Telemetry.Alerting.Routes;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>A record of the same event in another topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Key">The device, or in the topic of open alerts the instance.</param>
/// <param name="Value">The value; null: the key is at its end.</param>
public readonly record struct AlertCopy(string Topic, string Key, ReadOnlyMemory<byte>? Value);

/// <summary>
/// One record of the alert topic: a CloudEvent 1.0 in Kafka's binary mode. The key is the device: all transitions of a
/// device are in one topic partition, in the order of their outbox numbers, because one relay publishes in that order.
/// </summary>
/// <param name="Row">The outbox row that it publishes; its JSON is the record's value.</param>
/// <param name="SinceMillis">See <see cref="DuplicateFilterWindow"/>; 0 when nothing was skipped.</param>
/// <param name="Key">The device.</param>
/// <param name="Headers">CloudEvents attributes, and the row's place in the outbox.</param>
public sealed record AlertRecord(
    AlertOutboxRow Row, long SinceMillis, string Key, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    internal const string PartitionHeader = "telemetry-partition";
    internal const string NumberHeader = "telemetry-number";
    internal const string ChainHeader = "telemetry-chain";
    internal const string SinceHeader = "telemetry-since";
    internal const string IdHeader = "ce_id";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
    private const string UnreadableType = "telemetry.alert.unreadable.v1";

    /// <summary>CloudEvents' dataschema: docs/reference/schemas/ has it.</summary>
    public const string DataSchema = "urn:telemetry:alert:v1";

    /// <summary>Records of the same event in other topics, in the same transaction.</summary>
    public IReadOnlyList<AlertCopy> Copies { get; private init; } = [];

    /// <summary>The transition; null where the row's JSON is not ours.</summary>
    public AlertTransition? Transition { get; private init; }

    /// <summary>
    /// Makes the record of a row. A row whose JSON is not ours is published too, with the few attributes that every
    /// event must have: it must not block the rows after it.
    /// </summary>
    public static AlertRecord Of(AlertOutboxRow row, long sinceMillis, string source, out bool readable)
    {
        AlertTransition? transition = null;
        try
        {
            transition = AlertTransition.FromJson(row.Json.Span);
        }
        catch (JsonException)
        {
            // The caller reports it.
        }

        readable = transition is not null;
        List<KeyValuePair<string, string>> headers =
        [
            new("content-type", "application/json"),
            new("ce_specversion", "1.0"),
            new(IdHeader, row.Id),
            new("ce_source", source),
            new("ce_type", transition is null ? UnreadableType : $"telemetry.alert.{Word(transition.Kind)}.v1"),
            .. transition is null ? [] : Attributes(transition),
            new("ce_sequence", row.Head.Number.ToString("D20", CultureInfo.InvariantCulture)),
            new(PartitionHeader, row.Partition.ToString(CultureInfo.InvariantCulture)),
            new(NumberHeader, row.Head.Number.ToString(CultureInfo.InvariantCulture)),
            new(ChainHeader, row.Head.Chain.ToString("x32", CultureInfo.InvariantCulture)),
            new(SinceHeader, sinceMillis.ToString(CultureInfo.InvariantCulture)),
        ];
        return new AlertRecord(row, sinceMillis, transition?.Device ?? row.Id, headers) { Transition = transition };
    }

    /// <summary>The record with its copies for the topics of routes, and for the topic of open alerts.</summary>
    public AlertRecord For(IReadOnlyList<AlertDestination> destinations, string stateTopic)
    {
        if (Transition is not { } transition)
        {
            return this;
        }

        List<AlertCopy> copies =
        [
            .. destinations.Select(d => new AlertCopy(
                d.Topic, Key, d.Form == AlertForm.Full ? Row.Json : AlertNotice.Of(transition).ToJson())),
        ];
        if (stateTopic.Length > 0)
        {
            // Not null alone: it would become empty bytes, which are no tombstone.
            copies.Add(new AlertCopy(
                stateTopic, transition.Instance, Ends(transition) ? default(ReadOnlyMemory<byte>?) : Row.Json));
        }

        return this with { Copies = copies };
    }

    private static IEnumerable<KeyValuePair<string, string>> Attributes(AlertTransition transition)
    {
        yield return new("ce_dataschema", DataSchema);
        yield return new("ce_subject", transition.Device);
        yield return new("ce_time", Time(transition.TimeMicros));
        yield return new("ce_partitionkey", transition.Device);
        yield return new("ce_correlationid", transition.Instance);
        if (transition.Frame.Length > 0)
        {
            yield return new("ce_causationid", transition.Frame);
            yield return new("ce_traceparent", transition.TraceParent);
        }

        yield return new("ce_severity", transition.Severity);
        yield return new("ce_actor", "rules");
        yield return new("ce_late", transition.Late ? "true" : "false");
        yield return new("ce_detectiondelay", Duration(transition.DetectionDelayMicros));
    }

    private static string Word(AlertKind kind) => kind.ToString().ToLowerInvariant();

    private static bool Ends(AlertTransition transition) =>
        transition.Kind is AlertKind.Resolved or AlertKind.Retracted
            || transition is { Kind: AlertKind.Revised, EndedMicros: not null };

    // Times outside of DateTime's range are limited to it; the exact time is in the data.
    private static string Time(long micros)
    {
        const long microsMax = 253_402_300_799_999_999;
        var ticks = Math.Clamp(micros, -62_135_596_800_000_000, microsMax) * TimeSpan.TicksPerMicrosecond;
        return (DateTime.UnixEpoch + new TimeSpan(ticks)).ToString(TimeFormat, CultureInfo.InvariantCulture);
    }

    // ISO 8601, because CloudEvents has no type for durations; its Integer has 32 bits.
    private static string Duration(long micros) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(micros < 0 ? "-" : "")}PT{Math.Abs((decimal)micros) / 1_000_000:0.######}S");

    /// <summary>Reads a record of the topic by its headers; false for one that no relay wrote.</summary>
    public static bool TryReadBack(
        Func<string, byte[]?> header, ReadOnlyMemory<byte> value, [NotNullWhen(true)] out PublishedAlert? alert)
    {
        alert = null;
        var row = $"{Text(header(NumberHeader))} {Text(header(ChainHeader))} "
            + $"{Text(header(SinceHeader))} 0";
        if (Text(header(IdHeader)) is not { } id
            || !int.TryParse(Text(header(PartitionHeader)), CultureInfo.InvariantCulture, out var partition)
            || !RelayPosition.TryRead(Encoding.UTF8.GetBytes(row), out var position))
        {
            return false;
        }

        alert = new PublishedAlert(id, partition, position.Head, position.Skipping.SinceMillis, value);
        return true;
    }

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
