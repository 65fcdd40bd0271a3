using System.Text.Unicode;
using Telemetry.Model.Readings;

namespace Telemetry.Storage;

/// <summary>
/// What is rejected without asking the database: text that no PostgreSQL holds, and times outside the range that this
/// installation takes.
/// </summary>
public sealed class ReadingCheck(DateTimeOffset timeFirst, DateTimeOffset timeLast)
{
    private readonly long _first = Micros(timeFirst), _last = Micros(timeLast);

    /// <summary>Why a row of a batch cannot be stored; null when it can, as far as can be known here.</summary>
    public DeadLetterReason? Fault(ReadingBatch batch, int row, MetricType type) =>
        Fault(batch.Times[row], IsText(batch, row, type) ? batch.Text(batch.Bits[row]) : default);

    /// <summary>Why a reading with this text, if it is one, cannot be stored.</summary>
    public DeadLetterReason? Fault(long time, ReadOnlySpan<byte> text) =>
        time < _first || time > _last ? DeadLetterReason.Time
        : text.Contains((byte)0) || !Utf8.IsValid(text) ? DeadLetterReason.Value
        : null;

    /// <summary>The fault in words.</summary>
    public string Describe(DeadLetterReason fault, long time) => fault == DeadLetterReason.Time
        ? $"time {time} is outside {_first}..{_last} microseconds since 1970"
        : "text with NUL, or no valid UTF-8: no PostgreSQL holds it";

    /// <summary>True for a text that is there.</summary>
    public static bool IsText(ReadingBatch batch, int row, MetricType type) =>
        type == MetricType.Text && (batch.Flags[row] & ReadingFlags.Null) == 0;

    private static long Micros(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
