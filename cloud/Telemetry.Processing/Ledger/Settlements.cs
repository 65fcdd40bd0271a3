using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Processing.Ledger;

/// <summary>Describes what is settled of an epoch, in the form that stored-acks and answers carry.</summary>
internal static class Settlements
{
    /// <summary>The settlement for a stored-ack: the newest runs are the ones that the agent waits for.</summary>
    public static EpochSettlement Of(EpochLedger epoch) => new(epoch.Epoch, epoch.Complete, EachLane(lane =>
    {
        var ledger = epoch[lane];
        return new LaneSettlement(
            ledger.Prefix,
            ledger.PrefixShare,
            epoch.Lasts[lane],
            [.. ledger.Runs.Skip(ledger.Runs.Count - StoredAck.RunsMax)]);
    }));

    /// <summary>
    /// The settlement for an answer: runs from the first one on that the agent still holds. When the agent sealed fewer
    /// sequences than are settled (its outbox was put back), the prefix ends where the agent's sequences end, and
    /// <paramref name="cutShare"/> returns the share of that prefix.
    /// </summary>
    public static EpochSettlement Of(EpochLedger epoch, HelloEpoch told, Func<Lane, ulong?> cutShare) =>
        new(epoch.Epoch, epoch.Complete, EachLane(lane =>
        {
            var ledger = epoch[lane];
            var last = told.Lanes[(int)lane].LastSealed;
            if (last < ledger.Prefix && !epoch.Complete)
            {
                return new LaneSettlement(last, cutShare(lane) ?? 0, epoch.Lasts[lane], []);
            }

            var held = told.Lanes[(int)lane].Held;
            var from = held.Length > 0 ? held[0].First : last + 1;
            return new LaneSettlement(
                ledger.Prefix,
                ledger.PrefixShare,
                epoch.Lasts[lane],
                [.. ledger.Runs.Where(r => r.Range.Last >= from).Take(StoredAck.RunsMax)]);
        }));

    private static LaneSettlement[] EachLane(Func<Lane, LaneSettlement> lane) =>
        [lane(Lane.Critical), lane(Lane.Live), lane(Lane.Backlog)];
}
