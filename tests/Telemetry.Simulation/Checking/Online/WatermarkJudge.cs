using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Judges the watermarks at each commit. A reading that is older than the watermark is stored only where it was late
/// when its agent took it, or was booked as lost: all others came in order, so the watermark had to wait for them. A
/// watermark never falls, and stands where a promise that counts allows it. It judges no gateway of which two lives
/// existed: each of them promises for itself alone.
/// </summary>
internal sealed class WatermarkJudge(
    Func<GatewayId, GatewayFacts> facts, StoreIndex index, Findings findings, TimeProvider time)
{
    private readonly long _begun = time.GetTimestamp();
    private readonly Dictionary<GatewayId, Promised> _gateways = [];
    private readonly ReadingBatch _batch = new();

    /// <summary>A commit became durable on a disk of the gateway; its frames are known to the facts.</summary>
    public void Durable(GatewayId gateway, OutboxCommit commit, OutboxSnapshot disk)
    {
        var promised = Of(gateway);
        if (commit.Segments.Count > 0)
        {
            var series = EdgeContent.Series(gateway, disk);
            foreach (var segment in commit.Segments)
            {
                _batch.Clear();
                SegmentColumns.Read(segment.Data.Span, _batch, segment.Count, series.Types);
                Taken(promised, EdgeContent.Hashes(_batch, series));
            }
        }

        foreach (var row in commit.Frames.Where(f => !f.Data.IsEmpty))
        {
            Taken(promised, facts(gateway).Sealed.Find(row.Key)?.Hashes ?? []);
            if (FrameReader.Header(row.Data.Span, out _).Promise is { } promise)
            {
                promised.Reference.Made(promise, time.GetElapsedTime(_begun));
            }
        }

        // A reading that comes with the promise is inside of what it names.
        promised.Greatest = Math.Max(promised.Greatest, commit.PromisedW);
    }

    /// <summary>The agent says a hello.</summary>
    public void Says(GatewayId gateway, ReadOnlySpan<byte> hello)
    {
        if (Hello.Read(hello).Promise is { } promise)
        {
            Of(gateway).Reference.Made(promise, time.GetElapsedTime(_begun));
        }
    }

    /// <summary>A commit happened; <paramref name="after"/> is the database with it.</summary>
    public void Committed(StoreCommit commit, SimulatedDatabase before, SimulatedDatabase after)
    {
        if (commit.Readings.Count > 0)
        {
            // Of a gateway with two lives, one commit may have a reading twice.
            var times = after.Readings.Peek().DistinctBy(r => r.Hash).ToDictionary(r => r.Hash, r => r.Time);
            foreach (var frame in commit.Frames)
            {
                Judge(frame, times, before);
            }
        }

        foreach (var row in commit.Gateways.Where(r => !facts(r.Gateway).IsForked))
        {
            var was = before.Gateways.GetValueOrDefault(row.Gateway)?.Watermark ?? long.MinValue;
            if (row.Watermark < was)
            {
                findings.Add(row.Gateway, null, $"the watermark falls from {was} to {row.Watermark}");
            }
            else if (row.Watermark > was && !Of(row.Gateway).Reference.Reaches(row.Watermark, after))
            {
                findings.Add(
                    row.Gateway, null, $"the watermark goes from {was} to {row.Watermark}, which no promise allows");
            }
        }
    }

    /// <summary>
    /// Where a gateway's watermark must be at least, when nothing more comes; see
    /// <see cref="WatermarkReference.Greatest"/>.
    /// </summary>
    public long Due(GatewayId gateway, SimulatedDatabase database, Func<TimeSpan, long> receivedAt) =>
        Of(gateway).Reference.Greatest(database, receivedAt);

    private void Judge(FrameRegisterRow frame, Dictionary<ulong, long> times, SimulatedDatabase before)
    {
        var gateway = facts(frame.Gateway);
        var watermark = before.Gateways.GetValueOrDefault(frame.Gateway)?.Watermark ?? long.MinValue;
        if (gateway.IsForked || watermark == long.MinValue
            || gateway.Sealed.Find(frame.Key, frame.Checksum) is not { } made)
        {
            return;
        }

        foreach (var hash in made.Hashes)
        {
            if (times.TryGetValue(hash, out var at) && at < watermark && at >= Of(frame.Gateway).Before[hash]
                && !WasLost(frame, before))
            {
                findings.Add(
                    frame.Gateway, frame.Key,
                    $"its reading of {at} came in order, and the watermark had passed it before: {watermark}");
            }
        }
    }

    private static bool WasLost(FrameRegisterRow frame, SimulatedDatabase before) => before.Runs.Values.Any(r =>
        r.Gateway == frame.Gateway && r.Epoch == frame.Key.Epoch && r.Lane == frame.Key.Lane
        && r.Run.State == RunState.Lost && r.Run.Range.Overlaps(frame.Key.Range));

    private static void Taken(Promised promised, IEnumerable<ulong> hashes)
    {
        foreach (var hash in hashes)
        {
            promised.Before.TryAdd(hash, promised.Greatest);
        }
    }

    private Promised Of(GatewayId gateway) => _gateways.TryGetValue(gateway, out var promised)
        ? promised : _gateways[gateway] = new Promised(new WatermarkReference(gateway, index));

    private sealed record Promised(WatermarkReference Reference)
    {
        /// <summary>The greatest W that its agent ever recorded.</summary>
        public long Greatest { get; set; } = long.MinValue;

        /// <summary>Of each reading the greatest W that was recorded before it was taken.</summary>
        public Dictionary<ulong, long> Before { get; } = [];
    }
}
