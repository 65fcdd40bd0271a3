using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Partitions;
using Telemetry.Runtime;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Partitions;

public sealed class StreamEndsTests
{
    private static readonly GatewayId One = GatewayId.Parse("gw-1"), Other = GatewayId.Parse("gw-2");

    // The ends were read before the other hello arrived, and are taken after it: messages may have come in between.
    [Fact]
    public void Hello_never_gets_ends_that_were_read_before_it_arrived()
    {
        var pump = new Pump();
        var log = new SimulatedFrameLog(pump, new Random(1));
        var signal = new Signal();
        var ready = new List<HelloReady>();
        pump.Run(async () =>
        {
            await log.EnsureStreamsAsync(0, CancellationToken.None);
            var ends = new StreamEnds(
                new PartitionStream(log, 0, StreamKind.Live, signal),
                new PartitionStream(log, 0, StreamKind.Backlog, signal));
            ends.Ask(One, Hello(), answer: true);
            await Look(ends);
            await log.AppendAsync(0, StreamKind.Live, Other, "1", new byte[] { 1 }, CancellationToken.None);
            ends.Ask(Other, Hello(), answer: true);
            var look = Look(ends);
            ends.Take(null!, ready);
            await look;
            await Look(ends);
            ends.Take(null!, ready);
        });

        Assert.Equal([(One, 0L), (Other, 1L)], ready.Select(r => (r.Gateway, r.Live.Last)));

        Task Look(StreamEnds ends) =>
            ends.Look(1, 1, signal, _ => { }, CancellationToken.None) ?? Task.CompletedTask;
    }

    private static Hello Hello() => new() { Id = new HelloId(1, 1), Full = true, Outbox = 5, Accepted = 0 };
}
