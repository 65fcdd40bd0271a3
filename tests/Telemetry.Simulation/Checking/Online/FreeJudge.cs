using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Simulation.Faults;
using Telemetry.Storage;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Judges one agent as it takes words from the cloud. What a stored-ack settles is settled in the database of which it
/// speaks, and a frame leaves only when that database is the present one and has it, with equal content; or when the
/// agent cannot know yet that an older database was put back since.
/// </summary>
internal sealed class FreeJudge(GatewayFacts gateway, JudgedStore store, Findings findings)
{
    private HelloId _said;
    private HeldFrame[] _held = [];
    private (StoredAck Ack, int? Database)? _taking;
    private readonly HashSet<(ulong, Lane, SequenceRange, ulong?)> _true = [];
    private int _knows;
    private int _trueOf;

    /// <summary>The agent says a hello.</summary>
    public void Says(ReadOnlySpan<byte> hello) => _said = Hello.Read(hello) is { Full: true } full ? full.Id : _said;

    /// <summary>The agent is about to take a message.</summary>
    public void Takes(ReadOnlySpan<byte> message, ReadingOutbox outbox)
    {
        if (message[0] != (byte)DownKind.StoredAck)
        {
            return;
        }

        var ack = StoredAck.Read(message);
        var database = store.Tags.Of(message);
        _taking = (ack, database);
        _held = [.. outbox.Held];
        if ((database ?? store.Tags.Database) == store.Tags.Database)
        {
            if (_trueOf != store.Tags.Database)
            {
                _trueOf = store.Tags.Database;
                _true.Clear();
            }

            foreach (var epoch in ack.Epochs)
            {
                JudgeClaims(epoch);
            }
        }
    }

    /// <summary>The agent has taken the message.</summary>
    public void Took()
    {
        if (_taking is not var (ack, database))
        {
            return;
        }

        foreach (var frame in _held.Where(f => f.Freed))
        {
            Judge(frame, database);
        }

        // Only the answer to the newest hello rules all earlier words out.
        if (database is { } known && ack.InAnswerTo == _said)
        {
            _knows = Math.Max(_knows, known);
        }

        _taking = null;
        _held = [];
    }

    private void Judge(HeldFrame frame, int? database)
    {
        if (store.Index.Find(gateway.Id, frame.Key) is { } settled)
        {
            if (settled.Checksum != frame.Checksum && !IsReplacement(frame, settled))
            {
                findings.Add(
                    gateway.Id, frame.Key,
                    $"freed with checksum {frame.Checksum:x16}, settled with {settled.Checksum:x16}");
            }
        }
        else if (!frame.Held && store.IsLost(gateway.Id, frame.Key))
        {
            // Its bytes are not here either, and the books say so.
        }
        else if (database is not { } said || said == store.Tags.Database)
        {
            findings.Add(gateway.Id, frame.Key, "freed, and the database does not have it");
        }
        else if (_knows == store.Tags.Database)
        {
            findings.Add(
                gateway.Id, frame.Key,
                $"freed by the word of database {said}, though the agent knows of database {_knows}");
        }
        else if (!gateway.Excuses.WasUnstored(frame.Key))
        {
            findings.Add(gateway.Id, frame.Key, "freed, and no database ever had it");
        }
    }

    /// <summary>
    /// True when one of the two is a tombstone that replaced the other. Where an older copy was put back, the agent may
    /// have the frame again. An ingress may also take a late copy of a frame that was refused before: only of gateways
    /// whose outbox was never copied are such frames refused for ever (<see cref="FaultChances.GivenUp"/>).
    /// </summary>
    private bool IsReplacement(HeldFrame frame, FrameRegisterRow settled) => gateway.IsForked
        && (settled.Dropped == settled.Key.Count
            || (frame.Dropped == frame.Key.Count
                && gateway.Sealed.Find(frame.Key, settled.Checksum)?.Checksum == settled.Checksum));

    private void JudgeClaims(EpochSettlement epoch)
    {
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            var word = epoch.Lanes[(int)lane];
            if (!epoch.Complete)
            {
                Judge(epoch.Epoch, lane, new SequenceRange(1, word.Prefix), word.PrefixShare);
                foreach (var run in word.Runs.Where(r => r.State == RunState.Settled))
                {
                    Judge(epoch.Epoch, lane, run.Range, run.Share);
                }
            }
            else
            {
                // Lost runs before what the agent holds are not named.
                Judge(epoch.Epoch, lane, new SequenceRange(1, word.Announced), null);
            }
        }
    }

    private void Judge(ulong epoch, Lane lane, SequenceRange range, ulong? share)
    {
        // A database only grows: what was true of it stays true.
        if (range.Count <= 0 || !_true.Add((epoch, lane, range, share)))
        {
            return;
        }

        var (count, sum) = store.Index.Covered(gateway.Id, epoch, lane, range);
        count += share is null ? store.LostIn(gateway.Id, epoch, lane, range) : 0;
        if (count < range.Count || (share is { } said && said != sum && !store.WasComplete(gateway.Id, epoch)))
        {
            findings.Add(
                gateway.Id, null,
                $"a stored-ack settles {lane.Name()} {range.First}-{range.Last} of epoch {epoch:x16} with share "
                + $"{share:x16}; the database has {count} of {range.Count} with {sum:x16}");
        }
    }
}
