using Telemetry.Model.Readings;

namespace Telemetry.Edge.Outbox.Offers;

/// <summary>Says whether an offer can be taken at this moment; nothing of it is taken when it cannot.</summary>
internal sealed class OfferAdmission(OutboxState state, CommitLoop commits, OutboxOptions options)
{
    /// <summary>Why the offer is refused; null when it is not.</summary>
    public OfferOutcome? Refusal(ReadingBatch readings, AnsweredRequest? request)
    {
        if (OfferCheck.FirstInvalid(readings, state.Series.Types) is { } invalid)
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
}
