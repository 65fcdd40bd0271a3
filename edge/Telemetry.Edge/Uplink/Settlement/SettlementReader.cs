using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Settlement;

/// <summary>
/// Applies what the cloud reports as settled to the outbox. A frame is freed only inside a range whose shares equal
/// those of the frames sealed here. A difference, or announced sequences that were never sealed here, is a fork. Where
/// a share is no longer known, nothing is freed before the cloud calls the epoch complete.
/// </summary>
internal sealed class SettlementReader(ReadingOutbox outbox)
{
    /// <summary>
    /// The most forgotten frames of a lane whose shares are kept. Beyond it, ranges that contain the oldest ones cannot
    /// be compared any more.
    /// </summary>
    internal const int ForgottenMax = 1024;

    private readonly HashSet<ulong> _lacking = [];
    private readonly Dictionary<(ulong Epoch, Lane Lane), Queue<FreedRun>> _forgotten = [];

    /// <summary>Why this agent believes that it is a fork; empty when it does not.</summary>
    public string Fork { get; private set; } = "";

    /// <summary>True when the fork was found since the last check.</summary>
    public bool ForkFound { get; set; }

    /// <summary>
    /// True when the cloud booked frames as lost that are still here: only an answer can tell whether to send them
    /// again.
    /// </summary>
    public bool LostButHere { get; set; }

    /// <summary>
    /// True when the cloud's last message leaves something unsettled that is not here any more. It is booked as lost
    /// only after a full hello that is sent when its removal is durable.
    /// </summary>
    public bool LacksSomething => _lacking.Count > 0;

    /// <summary>Applies one epoch's settlement.</summary>
    public void Take(EpochSettlement settlement, bool isAnswer)
    {
        var lasts = new LaneLasts(
            settlement.Lanes[0].Announced, settlement.Lanes[1].Announced, settlement.Lanes[2].Announced);
        if (outbox.FindEpoch(settlement.Epoch) is not { } epoch)
        {
            if (settlement.Complete)
            {
                outbox.AdoptComplete(new(settlement.Epoch, lasts));
            }

            return;
        }

        if (!settlement.Complete && epoch.Complete)
        {
            outbox.Reopen(epoch.Epoch);
        }

        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            Take(epoch, lane, settlement.Lanes[(int)lane], settlement.Complete, isAnswer);
        }

        if (settlement.Complete && Everything(epoch.Epoch).All(frame => !frame.Held))
        {
            // Frames that the cloud booked as lost and that are still here keep the epoch open, so that hellos continue
            // to ask for it.
            outbox.MarkComplete(epoch.Epoch, lasts);
            _lacking.Remove(epoch.Epoch);
        }
        else if (!settlement.Complete && Lacks(epoch, settlement))
        {
            _lacking.Add(epoch.Epoch);
        }
        else
        {
            _lacking.Remove(epoch.Epoch);
        }
    }

    private bool Lacks(EpochState epoch, EpochSettlement settlement)
    {
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            var word = settlement.Lanes[(int)lane];
            var unsettled = epoch.Sealed[lane] - word.Prefix - word.Runs.Sum(r => r.Range.Count);
            var here = unsettled <= 0 ? 0 : outbox.HeldIn(epoch.Epoch, lane)
                .Where(f => f.Key.First > word.Prefix && !word.Runs.Any(r => r.Range.Overlaps(f.Key.Range)))
                .Sum(f => (long)f.Key.Count);
            if (unsettled > here)
            {
                return true;
            }
        }

        return false;
    }

    private void Take(EpochState epoch, Lane lane, LaneSettlement settlement, bool complete, bool isAnswer)
    {
        if (settlement.Announced > epoch.Sealed[lane])
        {
            ReportFork(epoch, $"{lane.Name()} of epoch {epoch.Epoch:x16} was announced up to {settlement.Announced}, "
                + $"sealed here up to {epoch.Sealed[lane]}: the outbox was put back");
        }

        if (complete)
        {
            // The ledger no longer has the shares; what is not lost is certainly stored. If runs were cut off, only the
            // range between the named ones is known; an answer names them from the first held frame on.
            var cut = settlement.Runs.Length == StoredAck.RunsMax;
            var named = cut
                ? new SequenceRange(isAnswer ? 1 : settlement.Runs[0].Range.First, settlement.Runs[^1].Range.Last)
                : new SequenceRange(1, settlement.Announced);
            foreach (var frame in outbox.HeldIn(epoch.Epoch, lane))
            {
                var sent = frame.ReachedLog || frame.Attempts > 0;
                if (sent && named.Contains(frame.Key.Range)
                    && !settlement.Runs.Any(r => r.State == RunState.Lost && r.Range.Overlaps(frame.Key.Range)))
                {
                    outbox.Free(frame);
                }
            }
        }
        else if (settlement.Prefix > 0)
        {
            FreeWhatAgrees(epoch, lane, new SequenceRange(1, settlement.Prefix), settlement.PrefixShare);
        }

        foreach (var run in settlement.Runs)
        {
            if (run.State == RunState.Settled && !complete)
            {
                FreeWhatAgrees(epoch, lane, run.Range, run.Share);
            }
            else if (run.State == RunState.Lost)
            {
                TakeLost(epoch, lane, run.Range);
            }
        }
    }

    private void TakeLost(EpochState epoch, Lane lane, SequenceRange lost)
    {
        foreach (var frame in outbox.HeldIn(epoch.Epoch, lane))
        {
            if (frame.Key.First > lost.Last)
            {
                break;
            }

            if (!lost.Contains(frame.Key.Range))
            {
                continue;
            }

            if (frame.Held)
            {
                LostButHere |= frame.State is DeliveryState.Receipted or DeliveryState.Unreceipted;
            }
            else
            {
                Forget(frame);
            }
        }
    }

    /// <summary>Its bytes may appear elsewhere and be stored after all: its share counts then.</summary>
    private void Forget(HeldFrame frame)
    {
        var key = (frame.Key.Epoch, frame.Key.Lane);
        if (!_forgotten.TryGetValue(key, out var shares))
        {
            _forgotten.Add(key, shares = new());
        }

        shares.Enqueue(new FreedRun(frame.Key.Range, frame.Key.Share(frame.Checksum)));
        if (shares.Count > ForgottenMax)
        {
            shares.Dequeue();
        }

        outbox.Forget(frame);
    }

    private void FreeWhatAgrees(EpochState epoch, Lane lane, SequenceRange range, ulong share)
    {
        List<HeldFrame> inside = [];
        var (sum, covered, differs) = (0UL, 0L, false);
        foreach (var frame in outbox.HeldIn(epoch.Epoch, lane))
        {
            if (frame.Key.First > range.Last)
            {
                break;
            }

            if (range.Overlaps(frame.Key.Range))
            {
                inside.Add(frame);
                sum += frame.Key.Share(frame.Checksum);
                covered += frame.Key.Count;

                // The cloud settles whole frames: another frame is in the place where this one begins or ends.
                differs |= !range.Contains(frame.Key.Range);
            }
        }

        if (inside.Count == 0)
        {
            return;
        }

        var freedAcross = 0L;
        foreach (var left in epoch.Freed(lane).Runs.Concat(_forgotten.GetValueOrDefault((epoch.Epoch, lane)) ?? []))
        {
            if (range.Contains(left.Range))
            {
                sum += left.Share;
                covered += left.Range.Count;
            }
            else if (range.Overlaps(left.Range))
            {
                freedAcross += Math.Min(range.Last, left.Range.Last) - Math.Max(range.First, left.Range.First) + 1;
            }
        }

        if (differs || (covered == range.Count && sum != share))
        {
            // Not always other content: the cloud forgets the shares of an epoch that it calls complete, and an epoch
            // that continues after all is opened again without them.
            ReportFork(
                epoch,
                $"{lane.Name()} {range.First}-{range.Last} of epoch {epoch.Epoch:x16} is settled with "
                + (differs ? "other frames" : "another checksum"));
            inside.ForEach(frame => frame.Forked = true);
        }
        else if (covered + freedAcross == range.Count)
        {
            // Of a run that was freed, and compared, before the database was restored, only the share of the whole run
            // is known: if a range contains a part of it, nothing can be compared.
            inside.ForEach(frame => outbox.Free(frame));
        }
        else if (epoch.IsOwn)
        {
            // The share of a frame that was forgotten is no longer known, so this range can never be compared. After
            // the epoch has ended, the cloud calls it complete, and that frees its frames.
            outbox.EndEpoch();
        }
    }

    /// <summary>The run's own epoch cannot continue.</summary>
    public void ReportFork(string what)
    {
        if (Fork != what)
        {
            ForkFound = true;
            Fork = what;
            outbox.StartNewEpoch(what);
        }
    }

    private void ReportFork(EpochState epoch, string what)
    {
        if (epoch.IsOwn)
        {
            ReportFork(what);
        }
        else if (Fork.Length == 0)
        {
            ForkFound = true;
            Fork = what;
        }
    }

    private IEnumerable<HeldFrame> Everything(ulong epoch) => outbox.HeldIn(epoch, Lane.Critical)
        .Concat(outbox.HeldIn(epoch, Lane.Live)).Concat(outbox.HeldIn(epoch, Lane.Backlog));
}
