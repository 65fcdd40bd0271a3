using System.Text.Unicode;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Offers;

/// <summary>Finds what no frame could carry, before it can spoil other inputs' readings.</summary>
internal static class OfferCheck
{
    /// <summary>The first invalid row and why; null when all are valid.</summary>
    public static OfferOutcome? FirstInvalid(ReadingBatch batch, ReadOnlySpan<MetricType> types)
    {
        var series = batch.Series;
        var times = batch.Times;
        var bits = batch.Bits;
        var flags = batch.Flags;
        for (var row = 0; row < series.Length; row++)
        {
            if ((uint)series[row] >= (uint)types.Length)
            {
                return Invalid(row, $"series index {series[row]} is none of the {types.Length} series");
            }

            if (times[row] is < WireReader.TimeMin or > WireReader.TimeMax)
            {
                return Invalid(
                    row, $"time {times[row]} is out of range: {WireReader.TimeMin} to {WireReader.TimeMax} µs");
            }

            if ((flags[row] & ~ReadingFlags.All) != 0
                || (flags[row] & ReadingFlags.QualityMask) == ReadingFlags.QualityMask)
            {
                return Invalid(row, $"flags 0x{(byte)flags[row]:x2} are unknown");
            }

            if (types[series[row]] >= MetricType.Bool && (flags[row] & ReadingFlags.Null) == 0
                && InvalidValue(batch, types[series[row]], bits[row]) is { } reason)
            {
                return Invalid(row, reason);
            }
        }

        return null;
    }

    private static string? InvalidValue(ReadingBatch batch, MetricType type, ulong bits)
    {
        if (type == MetricType.Bool)
        {
            return bits <= 1 ? null : $"{bits} is no bool";
        }

        var length = (uint)bits;
        return (bits >> 32) + length > (ulong)batch.TextBytes || length > ReadingBatch.TextBytesMax
            ? "the value of a text series is no text of this batch"
            : Utf8.IsValid(batch.Text(bits)) ? null : "the text is no valid UTF-8";
    }

    private static OfferOutcome Invalid(int row, string reason) =>
        OfferOutcome.Refused(OfferRefusal.Invalid, $"reading {row}: {reason}", row);
}
