using System.Text.Unicode;
using Telemetry.Edge.Outbox.Commits;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox;

/// <summary>Decides whether an offer can be accepted at this moment; if not, nothing of it is taken.</summary>
internal sealed class OfferAdmission(OutboxState state, CommitLoop commits, OutboxOptions options)
{
    /// <summary>Why the offer is refused; null when it is not.</summary>
    public OfferOutcome? Refusal(ReadingBatch readings, AnsweredRequest? request)
    {
        if (FirstInvalid(readings, state.Series.Types) is { } invalid)
        {
            return invalid;
        }

        if (commits.Disk.Refusal is { } failing)
        {
            commits.Disk.Standing.Refused(readings.Count);
            return OfferOutcome.Refused(OfferRefusal.Disk, failing);
        }

        if (commits.WaitingReadings + readings.Count > options.WaitingReadingsMax)
        {
            return OfferOutcome.Refused(
                OfferRefusal.Overload,
                $"{commits.WaitingReadings} readings wait for a commit, and {readings.Count} more would be over the "
                + $"{options.WaitingReadingsMax} that may");
        }

        if (commits.Disk.UsedBytes + commits.WaitingBytes + OfferBytes.Of(readings) > options.QuotaBytes)
        {
            commits.QuotaReached(readings.Count);
            return OfferOutcome.Refused(
                OfferRefusal.Quota, $"the outbox is at its quota: outbox.quotaBytes is {options.QuotaBytes}");
        }

        return request is not null && state.Requests.Refusal(commits.WaitingRequests) is { } full
            ? OfferOutcome.Refused(OfferRefusal.Requests, full)
            : null;
    }

    /// <summary>
    /// The first row that no frame could carry, found before it can affect other inputs' readings; null when all are
    /// valid.
    /// </summary>
    private static OfferOutcome? FirstInvalid(ReadingBatch batch, ReadOnlySpan<MetricType> types)
    {
        var series = batch.Series;
        var times = batch.Times;
        var bits = batch.Bits;
        var flags = batch.Flags;
        for (var row = 0; row < series.Length; row++)
        {
            if ((uint)series[row] >= (uint)types.Length)
            {
                return Invalid(row, $"series index {series[row]} is not one of the {types.Length} series");
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
            return bits <= 1 ? null : $"{bits} is not a bool: 0 and 1 are allowed";
        }

        var length = (uint)bits;
        return (bits >> 32) + length > (ulong)batch.TextBytes || length > ReadingBatch.TextBytesMax
            ? $"the text is not inside this batch's texts, or has more than {ReadingBatch.TextBytesMax} bytes"
            : Utf8.IsValid(batch.Text(bits)) ? null : "the text is not valid UTF-8";
    }

    private static OfferOutcome Invalid(int row, string reason) =>
        OfferOutcome.Refused(OfferRefusal.Invalid, $"reading {row}: {reason}", row);
}
