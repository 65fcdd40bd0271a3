using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Readings;

namespace Telemetry.Inputs.Senders;


/// <summary>
/// Makes an input's offers and keeps count; where there is a journal, in this order: journal, offer, answer, journal.
/// </summary>
internal sealed class OutboxWriter(SenderJournal? journal)
{
    /// <summary>How many readings the outbox has acknowledged.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>How many readings the outbox has refused.</summary>
    public long Refused { get; private set; }

    /// <summary>
    /// Offers readings. The batch may be filled anew as soon as this has returned its task. A
    /// <paramref name="request"/> is remembered with them.
    /// </summary>
    public async Task<OfferOutcome> OfferAsync(
        ReadingOutbox outbox, ReadingBatch batch, TimeSpan deadline, bool critical, AnsweredRequest? request = null)
    {
        var count = batch.Count;
        var offer = journal?.Attempt(batch, outbox.Series) ?? 0;
        // Never cancelled: an offer that is given up in the middle would stay without an answer, stored or not.
        var outcome = await outbox.OfferAsync(batch, deadline, critical, CancellationToken.None, request);
        if (outcome.IsAccepted)
        {
            journal?.Acknowledge(offer, count);
            Acknowledged += count;
        }
        else
        {
            if (outcome.Refusal != OfferRefusal.Unknown)
            {
                journal?.Refuse(offer);
            }

            Refused += count;
        }

        return outcome;
    }
}
