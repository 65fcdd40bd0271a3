using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>
/// Random offers, seals, frees, forks, power cuts and commits that the disk refuses against what must always hold:
/// acknowledged readings are on the disk once (G1), every accepted one is unsealed or covered by a sequence (G5),
/// frames name schemas that are there, and no promise is a lie.
/// </summary>
public sealed class OutboxRandomTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void What_must_hold_holds_after_every_step(int seed) => OutboxRig.Run(
        async rig => await new Run(rig, new Random(seed)).StepsAsync(300),
        new OutboxOptions
        {
            SegmentReadingsMax = 20,
            CacheBytesMax = 2000,
            IdleCommitInterval = TimeSpan.FromMinutes(1),
        });

    private sealed class Run(OutboxRig rig, Random random)
    {
        private static readonly OutboxFault[] Faults =
            [OutboxFault.Full, OutboxFault.Busy, OutboxFault.Io, OutboxFault.ReadOnly];

        // For more series than a run ever makes.
        private static readonly MetricType[] Types = [.. Enumerable.Repeat(MetricType.Float, 100)];

        private readonly Dictionary<FrameId, (FrameKey Key, ulong[] Readings)> _frames = [];
        private readonly Dictionary<ulong, long> _times = [];
        private readonly HashSet<ulong> _acknowledged = [];
        private readonly List<Task> _offers = [];
        private ulong _lastId;

        public async Task StepsAsync(int steps)
        {
            rig.Disk.BeforeDurable = async () => await rig.After(TimeSpan.FromMilliseconds(random.Next(30)));
            Begin();
            for (var i = 0; i < steps; i++)
            {
                rig.Disk.CommitFault = random.Next(5) == 0 ? () => Faults[random.Next(Faults.Length)] : null;
                await StepAsync();
                CheckDisk();
            }

            rig.Disk.CommitFault = null;
            await Task.WhenAll(_offers);
            await rig.After(TimeSpan.FromMinutes(1));
            rig.Outbox.LinkUp = true;
            while (await rig.SealAsync() > 0)
            {
            }

            CheckDisk();
            Assert.Equal(0, rig.Outbox.UnsealedReadings);
            Assert.Equal(rig.Outbox.Accepted, _frames.Values.Sum(f => (long)f.Key.Count));
            Assert.True(_acknowledged.Count > 200);
        }

        private void Begin()
        {
            rig.Series("m0");
            rig.Outbox.Sealed += _ => CheckDisk();
        }

        private async Task StepAsync()
        {
            switch (random.Next(12))
            {
                case < 5:
                    _offers.Add(OfferAsync());
                    break;
                case 5:
                    rig.Outbox.LinkUp = random.Next(2) == 0;
                    break;
                case 6:
                    await rig.SealAsync(random.Next(1, 4), random.Next(5, 40));
                    break;
                case 7:
                    foreach (var frame in rig.Outbox.Held.Where(_ => random.Next(3) == 0))
                    {
                        rig.Outbox.Free(frame);
                    }

                    break;
                case 8 when random.Next(4) == 0:
                    rig.Disk.PowerCut();
                    await Task.WhenAll(_offers);
                    await rig.OpenAsync();
                    Begin();
                    break;
                case 9 when random.Next(8) == 0:
                    rig.Outbox.StartNewEpoch("a fork");
                    break;
                case 10:
                    var done = rig.Outbox.OpenEpochs.Where(
                        e => !e.IsOwn && rig.Outbox.Held.All(f => f.Key.Epoch != e.Epoch));
                    foreach (var epoch in done.ToList())
                    {
                        rig.Outbox.MarkComplete(epoch.Epoch);
                    }

                    break;
                default:
                    await rig.After(TimeSpan.FromMilliseconds(random.Next(1500)));
                    break;
            }
        }

        private async Task OfferAsync()
        {
            // The number of series grows now and then, so that a commit may be refused which brings some.
            var series = random.Next(rig.Outbox.Series.Count + (random.Next(3) == 0 ? 1 : 0));
            rig.Series($"m{series}");
            var batch = new ReadingBatch();
            for (var left = random.Next(1, 50); left > 0; left--)
            {
                var time = rig.Now - (random.Next(5) == 0 ? random.Next(100_000_000) : random.Next(1000));
                batch.Add(left % 2 == 0 ? series : 0, time, ++_lastId);
                _times.Add(_lastId, time);
            }

            var ids = batch.Bits.ToArray();
            try
            {
                var outcome = await rig.Outbox.OfferAsync(
                    batch, TimeSpan.FromMilliseconds(random.Next(500)), random.Next(6) == 0, CancellationToken.None);
                if (outcome.IsAccepted)
                {
                    _acknowledged.UnionWith(ids);
                }
            }
            catch (OutboxException e)
            {
                // The power went: nobody knows whether these are durable.
                Assert.True(e.IsTransient);
            }
        }

        private void CheckDisk()
        {
            var disk = rig.Disk.Snapshot();
            foreach (var frame in disk.Frames.Values)
            {
                Assert.Contains(disk.Schemas.Values, s => s.Message.Id == frame.Schema);
                if (!_frames.ContainsKey(frame.Id))
                {
                    _frames.Add(frame.Id, (frame.Key, Readings(frame)));
                    var header = FrameReader.Header(frame.Data.Span, out _);
                    if (header.Promise is { } promise)
                    {
                        CheckPromise(disk, promise);
                    }
                }
            }

            var unsealed = disk.Segments.Values.SelectMany(Readings).ToList();
            var all = unsealed.Concat(_frames.Values.SelectMany(f => f.Readings)).ToList();
            Assert.Equal(all.Count, all.Distinct().Count());
            Assert.Equal(disk.Accepted, all.Count);
            Assert.Empty(_acknowledged.Except(all));
            Assert.Equal(disk.Accepted, unsealed.Count + disk.Epochs.Values.Sum(
                e => e.Sealed.Critical + e.Sealed.Live + e.Sealed.Backlog));
            if (disk.Accepted == rig.Outbox.Accepted && rig.Outbox.CurrentPromise() is { } current)
            {
                CheckPromise(disk, current);
            }
        }

        private void CheckPromise(OutboxSnapshot disk, Promise promise)
        {
            var complete = disk.Epochs.Values.Where(
                e => e.Complete || rig.Outbox.CompleteEpochs.Any(c => c.Epoch == e.Epoch))
                .Select(e => e.Epoch).ToHashSet();
            var lasts = promise.Epochs.ToDictionary(e => e.Epoch, e => e.Lasts);
            var outside = disk.Segments.Values.SelectMany(Readings).Concat(_frames.Values
                .Concat(disk.Frames.Values.Where(f => !_frames.ContainsKey(f.Id)).Select(f => (f.Key, Readings(f))))
                .Where(f => !complete.Contains(f.Item1.Epoch)
                    && !(lasts.TryGetValue(f.Item1.Epoch, out var l) && f.Item1.Last <= l[f.Item1.Lane]))
                .SelectMany(f => f.Item2));
            Assert.DoesNotContain(outside, id => _times[id] < promise.W);
        }

        private ulong[] Readings(SegmentRow segment)
        {
            var batch = new ReadingBatch();
            SegmentColumns.Read(segment.Data.Span, batch, segment.Count, Types);
            return batch.Bits.ToArray();
        }

        private ulong[] Readings(FrameRow frame)
        {
            var batch = new ReadingBatch();
            FrameReader.Read(frame.Data.Span, Types, batch, []);
            return batch.Bits.ToArray();
        }
    }
}
