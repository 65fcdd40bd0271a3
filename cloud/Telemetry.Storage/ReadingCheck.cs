using System.Text.Unicode;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>
/// Finds what is rejected without asking the database: text that PostgreSQL cannot store, and times outside the range
/// that this installation accepts.
/// </summary>
public sealed class ReadingCheck(DateTimeOffset timeFirst, DateTimeOffset timeLast)
{
    private readonly long _first = Micros(timeFirst), _last = Micros(timeLast);

    /// <summary>Why a row of a batch cannot be stored; null when this check finds no reason.</summary>
    public DeadLetterReason? Fault(ReadingBatch batch, int row, MetricType type) =>
        Fault(batch.Times[row], IsText(batch, row, type) ? batch.Text(batch.Bits[row]) : default);

    /// <summary>True for a time that this installation accepts.</summary>
    public bool Allows(long time) => time >= _first && time <= _last;

    /// <summary>Why a reading with this text (if it has one) cannot be stored.</summary>
    public DeadLetterReason? Fault(long time, ReadOnlySpan<byte> text) =>
        !Allows(time) ? DeadLetterReason.Time
        : text.Contains((byte)0) || !Utf8.IsValid(text) ? DeadLetterReason.Value
        : null;

    /// <summary>Describes the fault as text.</summary>
    public string Describe(DeadLetterReason fault, long time) => fault == DeadLetterReason.Time
        ? $"time {time} is outside {_first}..{_last} microseconds since 1970"
        : "text with NUL or invalid UTF-8, which PostgreSQL cannot store";

    /// <summary>True for a text that is not null.</summary>
    public static bool IsText(ReadingBatch batch, int row, MetricType type) =>
        type == MetricType.Text && (batch.Flags[row] & ReadingFlags.Null) == 0;

    private static long Micros(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
