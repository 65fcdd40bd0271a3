using Telemetry.Edge.Outbox;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage;
using Telemetry.Streams;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Judges each loss at the commit that books it: nobody has those readings. No disk of the gateway holds them, the log
/// beyond the position does not either, as far as it reached when the hello was heard that shows the loss, and there
/// is a reason why they may be lost at all.
/// </summary>
internal sealed class LossJudge(SimulatedWorld world, Func<GatewayId, GatewayFacts> facts, Findings findings)
{
    private const int HeardMax = 200;

    private readonly List<Heard> _heard = [];

    /// <summary>Somebody heard a hello: what the log has by now must be read before it books a loss by it.</summary>
    public void HelloHeard(object by, GatewayId gateway, ReadOnlySpan<byte> message)
    {
        if (Hello.Read(message) is { Full: true } hello)
        {
            var partition = gateway.Partition(SimulatedWorld.Partitions);
            _heard.Add(new Heard(by, gateway, hello, [
                world.Log.Find(partition, StreamKind.Live)?.State ?? default,
                world.Log.Find(partition, StreamKind.Backlog)?.State ?? default]));
            if (_heard.Count > HeardMax)
            {
                _heard.RemoveAt(0);
            }
        }
    }

    /// <summary>The log was damaged: what was read of its ends says nothing any more.</summary>
    public void LogDamaged(StreamKind kind) => _heard.ForEach(h => h.Ends[(int)kind] = default);

    public void Committed(StoreCommit commit, SimulatedDatabase before, object? by)
    {
        foreach (var row in commit.Runs.Where(r => r.Run.State == RunState.Lost))
        {
            foreach (var range in NewlyLost(row, before))
            {
                Judge(row, range, by);
            }
        }
    }

    private static IEnumerable<SequenceRange> NewlyLost(RunRow row, SimulatedDatabase before)
    {
        var at = row.Run.Range.First;
        foreach (var known in before.Runs.Values
            .Where(r => r.Gateway == row.Gateway && r.Epoch == row.Epoch && r.Lane == row.Lane
                && r.Run.State == RunState.Lost && r.Run.Range.Overlaps(row.Run.Range))
            .OrderBy(r => r.Run.Range.First))
        {
            if (at < known.Run.Range.First)
            {
                yield return new SequenceRange(at, known.Run.Range.First - 1);
            }

            at = known.Run.Range.Last + 1;
        }

        if (at <= row.Run.Range.Last)
        {
            yield return new SequenceRange(at, row.Run.Range.Last);
        }
    }

    private void Judge(RunRow row, SequenceRange range, object? by)
    {
        var gateway = facts(row.Gateway);
        if (gateway.MayBeLost(row.Epoch, row.Lane, range) < range.Count)
        {
            findings.Add(
                row.Gateway, gateway.NotExcused(row.Epoch, row.Lane, range),
                $"{row.Lane.Name()} {range.First}-{range.Last} of epoch {row.Epoch:x16} is booked as lost, though not "
                + "both database and log lost it, and no disk went");
        }

        if (!gateway.IsForked && AtTheEdge(row, range) is { } held)
        {
            findings.Add(row.Gateway, held, $"{range.First}-{range.Last} is booked as lost, and its disk has it");
        }

        if (InTheLog(row, range, by) is { } logged)
        {
            findings.Add(
                row.Gateway, logged, $"{range.First}-{range.Last} is booked as lost, and the log has it beyond the "
                + "position since before the hello");
        }
    }

    private FrameKey? AtTheEdge(RunRow row, SequenceRange range) => world.Gateways.Where(g => g.Id == row.Gateway)
        .SelectMany(g => g.Disk.Snapshot().HeldFrames.Where(key =>
            g.Outbox is not { } outbox || outbox.Find(new FrameId(key.Epoch, key.Lane, key.First)) is { Held: true }))
        .Where(key => key.Epoch == row.Epoch && key.Lane == row.Lane && key.Range.Overlaps(range))
        .Cast<FrameKey?>().FirstOrDefault();

    private FrameKey? InTheLog(RunRow row, SequenceRange range, object? by)
    {
        var partition = row.Gateway.Partition(SimulatedWorld.Partitions);
        var kind = row.Lane.Stream();
        var held = world.Store.Content.Partitions[partition].Row;
        var position = kind == StreamKind.Live ? held.Live : held.Backlog;
        if (world.Log.Find(partition, kind) is not { } stream
            || stream.State.CreatedNanos != position.StreamCreatedNanos)
        {
            return null;
        }

        var beyond = stream.Messages.Values
            .Where(m => m.Sequence > position.Sequence && m.Gateway == row.Gateway)
            .Select(m => (m.Sequence, Key: KeyOf(m.Data.Span)))
            .Where(m => m.Key is { } key && key.Epoch == row.Epoch && key.Lane == row.Lane && key.Range.Overlaps(range))
            .ToArray();
        if (beyond.Length == 0)
        {
            return null;
        }

        // Which hello the owner goes by is not known: one that shows the loss and that it heard.
        var shown = _heard.Where(h => h.By == by && h.Gateway == row.Gateway && h.Shows(row, range)).ToArray();
        return shown.Any(h => !beyond.Any(m => m.Sequence <= h.Ends[(int)kind].Last)) ? null : beyond[0].Key;
    }

    private static FrameKey? KeyOf(ReadOnlySpan<byte> message)
    {
        FrameEnvelope.Read(message, out var offset);
        return FrameReader.TryKind(message[offset..], out var kind) && kind != FrameKind.Schema
            ? FrameReader.Header(message[offset..], out _).Key : null;
    }

    private sealed record Heard(object By, GatewayId Gateway, Hello Hello, StreamState[] Ends)
    {
        /// <summary>True when it does not say that the agent holds something of the range.</summary>
        public bool Shows(RunRow row, SequenceRange range) =>
            Hello.Epochs.FirstOrDefault(e => e.Epoch == row.Epoch) is not { } told
            || !told.Lanes[(int)row.Lane].Held.Any(h => h.Overlaps(range));
    }
}
