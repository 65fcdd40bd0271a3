using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Processing;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>Processors side by side in one process, under one owner's name.</summary>
public sealed class WorkersTests
{
    [Theory]
    [InlineData(5, 2, new[] { 3L, 2L })]
    [InlineData(3, 3, new[] { 1L, 1L, 1L })]
    [InlineData(1, 2, new[] { 1L, 0L })]
    public void Workers_own_every_partition_once_and_give_all_of_them_back(int partitions, int workers, long[] owned)
    {
        var pump = new Pump();
        var store = new SimulatedStore(pump, new Random(1));
        var log = new SimulatedFrameLog(pump, new Random(2));
        var control = new SimulatedControlChannel(pump, new Random(3));
        var takenBy = new Dictionary<int, HashSet<ulong>>();
        store.Fails = commit =>
        {
            foreach (var step in commit.Partitions)
            {
                takenBy.TryAdd(step.Expected.Partition, []);
                takenBy[step.Expected.Partition].Add(step.Expected.Token);
            }

            return null;
        };
        pump.Run(async () =>
        {
            var processors = Enumerable.Range(0, workers).Select(worker => new Processor(
                store, log, control,
                new ProcessorOptions { Partitions = partitions, Workers = workers, Worker = worker, Owner = "process" },
                pump.Clock, new Random(worker), NullLogger.Instance)).ToArray();
            using var stop = new CancellationTokenSource();
            var running = processors.Select(p => p.RunAsync(stop.Token)).ToArray();
            await Task.Delay(TimeSpan.FromMinutes(1), pump.Clock);

            Assert.Equal(owned, processors.Select(p => p.Counters.Partitions));
            Assert.All(processors, p => Assert.Equal((0L, 0L), (p.Counters.NotOwner, p.Counters.Errors)));
            stop.Cancel();
            await Task.WhenAll(running);
            for (var partition = 0; partition < partitions; partition++)
            {
                Assert.NotNull(await store.TakeLeaseAsync(partition, 1, "another", TimeSpan.FromSeconds(1), default));
            }
        });

        // A lease that one worker took from another would have had another token.
        Assert.Equal(partitions, takenBy.Count);
        Assert.All(takenBy.Values, tokens => Assert.Single(tokens));
    }
}
