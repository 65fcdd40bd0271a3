using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Settlement;

/// <summary>
/// Decides from an answer which frames were lost in transit: those whose receipt lies beyond the log's end, and those
/// whose receipt the position has passed while the ledger lacks them. Also a frame whose PUBACK had no receipt and that
/// answers leave unsettled for long, and a frame whose place held other content that the ledger no longer has. An
/// answer only judges what was known when its hello was sent.
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
                // The cloud had other content there, and no longer has it: its database was restored.
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
    /// (a settled frame that is still here waits for the end of its epoch, or is a fork).
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
