using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>A stream whose end cannot be read holds up its partition's hellos and nothing else.</summary>
public sealed class StreamOutOfReachTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void Frames_are_stored_while_a_hello_waits_and_it_is_answered_afterwards(int secondsUntilItFails)
    {
        var log = new DeafLog();
        var rig = new ProcessorRig(altered: log.Around);
        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, readings: 3));
        log.FailsAfter = TimeSpan.FromSeconds(secondsUntilItFails);

        rig.Say(Hello(1));
        var took = rig.TimeUntil(() => rig.Books.Stored == 5, ProcessorRig.Floats(4, readings: 2));

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.True(log.Asked > 0, "nobody asked for the streams' ends");
        Assert.Equal((0, 0), (rig.Counters.Errors, rig.Counters.NotOwner));
        Assert.Empty(Answers(rig));

        log.FailsAfter = null;
        rig.Give();

        Assert.Equal(new HelloId(1, 1), Assert.Single(Answers(rig)).InAnswerTo);
    }

    [Fact]
    public void Newest_hello_of_a_gateway_is_the_one_that_waits()
    {
        var log = new DeafLog();
        var rig = new ProcessorRig(altered: log.Around);
        rig.Give();
        log.FailsAfter = TimeSpan.Zero;
        rig.Say(Hello(1));
        rig.Say(Hello(2));

        log.FailsAfter = null;
        rig.Give();

        Assert.Equal(new HelloId(1, 2), Assert.Single(Answers(rig)).InAnswerTo);
    }

    private static IEnumerable<StoredAck> Answers(ProcessorRig rig) =>
        rig.Acks.Select(a => a.Ack).Where(a => a.InAnswerTo is not null);

    private static Hello Hello(int number) => new()
    {
        Id = new HelloId(1, number),
        Full = true,
        Outbox = 5,
        Accepted = 5,
    };

    /// <summary>A log that does not say where its streams stand.</summary>
    private sealed class DeafLog
    {
        public TimeSpan? FailsAfter { get; set; }

        public int Asked { get; private set; }

        public IFrameLog Around(IFrameLog log, TimeProvider time) => new Altered(this, log, time);

        private sealed class Altered(DeafLog deaf, IFrameLog log, TimeProvider time) : IFrameLog
        {
            public async ValueTask<StreamState?> StateAsync(
                int partition, StreamKind stream, CancellationToken cancellationToken)
            {
                if (deaf.FailsAfter is not { } after)
                {
                    return await log.StateAsync(partition, stream, cancellationToken);
                }

                deaf.Asked++;
                await Task.Delay(after, time, cancellationToken);
                throw new FrameLogException($"{stream} {partition} is out of reach");
            }

            public InstallationFacts? Facts => log.Facts;

            public ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken) =>
                log.FindInstallationAsync(cancellationToken);

            public Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken) =>
                log.EnsureStreamsAsync(partition, cancellationToken);

            public ValueTask<FrameAppend> AppendAsync(
                int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
                CancellationToken cancellationToken) =>
                log.AppendAsync(partition, stream, gateway, messageId, data, cancellationToken);

            public ValueTask<FrameLogMessage?> ReadAsync(
                int partition, StreamKind stream, long sequence, CancellationToken cancellationToken) =>
                log.ReadAsync(partition, stream, sequence, cancellationToken);

            public ValueTask<IFrameLogReader> BeginAsync(
                int partition, StreamKind stream, long from, CancellationToken cancellationToken) =>
                log.BeginAsync(partition, stream, from, cancellationToken);

            public Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken) =>
                log.PurgeAsync(partition, stream, below, cancellationToken);
        }
    }
}
