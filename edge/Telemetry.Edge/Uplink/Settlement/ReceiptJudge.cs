using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Settlement;

/// <summary>
/// Says from an answer which frames were lost on the way: exactly those whose receipt lies beyond the log's end, or
/// whose receipt the position passed while the ledger lacks them. So is one whose PUBACK came without a receipt and
/// that answers leave unsettled for long, and one that was a fork of what the ledger does not have any more. Only what
/// was known when the hello was said can be judged by its answer.
/// </summary>
internal static class ReceiptJudge
{
    /// <summary>The frames to send again, under a new attempt. What the answer settled is freed already.</summary>
    public static IEnumerable<HeldFrame> LostOnTheWay(
        StoredAck answer, IEnumerable<HeldFrame> held, TimeProvider time, TimeSpan unsettledAfter)
    {
        foreach (var frame in held)
        {
            if (frame is not { Held: true, IsUnreadable: false }
                || frame.ReceiptAtHello >= answer.InAnswerTo!.Value.Number
                || !Knows(answer, frame))
            {
                continue;
            }

            var stream = answer[frame.Key.Lane.Stream()];
            var lost = frame.State switch
            {
                DeliveryState.Receipted => frame.Receipt is not { } receipt
                    || receipt.Sequence > stream.End || receipt.Sequence <= stream.Position,
                // The cloud had other content there, and has none any more: it was put back.
                DeliveryState.ToSend => frame.Forked,
                DeliveryState.Unreceipted => time.GetElapsedTime(frame.SentAtTimestamp) >= unsettledAfter,
                _ => false,
            };
            if (lost)
            {
                yield return frame;
            }
        }
    }

    /// <summary>
    /// True when the answer names the frame's epoch, its runs reach as far as the frame, and the frame is not settled
    /// (one that is and is still here waits for its epoch's end, or is a fork).
    /// </summary>
    private static bool Knows(StoredAck answer, HeldFrame frame)
    {
        foreach (var epoch in answer.Epochs)
        {
            if (epoch.Epoch == frame.Key.Epoch)
            {
                var lane = epoch.Lanes[(int)frame.Key.Lane];
                return (lane.Runs.Length < StoredAck.RunsMax || frame.Key.Last <= lane.Runs[^1].Range.Last)
                    && frame.Key.First > lane.Prefix
                    && !lane.Runs.Any(r => r.State == RunState.Settled && r.Range.Overlaps(frame.Key.Range));
            }
        }

        return false;
    }
}
