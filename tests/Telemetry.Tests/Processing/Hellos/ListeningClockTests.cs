using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Tests.Processing.Hellos;

/// <summary>
/// Two copies of an outbox run, and the owner does not listen for a while. It must not take its own silence for the
/// silence of the copy that has readings which the other one does not know.
/// </summary>
public sealed class ListeningClockTests
{
    private const uint Clone = 1, OtherCopy = 7;
    private const long CloneLast = 3, OtherLast = 5;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(16);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(35);

    /// <summary>What keeps the owner from listening.</summary>
    public enum Interruption
    {
        None,
        Pause,
        BrokenLink,
        UnreadableEnds,
    }

    [Theory]
    [InlineData(Interruption.None, true)]
    [InlineData(Interruption.Pause, false)]
    [InlineData(Interruption.BrokenLink, false)]
    [InlineData(Interruption.UnreadableEnds, false)]
    public void Epoch_that_the_clone_does_not_name_is_lost_only_after_unbroken_silence(
        Interruption interruption, bool lost) => Proves(interruption, lost, n => Hello(Clone, n));

    [Theory]
    [InlineData(Interruption.None, true)]
    [InlineData(Interruption.Pause, false)]
    [InlineData(Interruption.BrokenLink, false)]
    [InlineData(Interruption.UnreadableEnds, false)]
    public void Sequences_that_the_clone_does_not_know_are_lost_only_after_unbroken_silence(
        Interruption interruption, bool lost) => Proves(interruption, lost, n => Hello(Clone, n, CloneLast));

    private static void Proves(Interruption interruption, bool lost, Func<long, Hello> clone)
    {
        var rig = ProcessorRig.WithSchema();
        rig.Give(ProcessorRig.Floats(1, readings: (int)CloneLast));
        rig.Say(Soon, Hello(OtherCopy, 1, OtherLast));
        rig.Say(Soon, clone(1));

        var second = clone(2);
        switch (interruption)
        {
            case Interruption.Pause:
                var latency = rig.Store.Calls.LatencyMax;
                (rig.Store.Calls.LatencyMin, rig.Store.Calls.LatencyMax) = (Long, Long);
                rig.Say(Half);
                (rig.Store.Calls.LatencyMin, rig.Store.Calls.LatencyMax) = (latency, latency);
                rig.Say(Half);
                break;
            case Interruption.BrokenLink:
                rig.Say(Half);
                rig.Disconnect();
                rig.Say(Half);
                break;
            case Interruption.UnreadableEnds:
                rig.Log.Calls.LosesRequest = what => what.StartsWith("state of", StringComparison.Ordinal);
                rig.Say(Long, second);
                rig.Log.Calls.LosesRequest = _ => false;
                break;
            default:
                rig.Say(Long);
                break;
        }

        rig.Say(Half, second);
        Assert.Equal(lost ? OtherLast - CloneLast : 0, rig.Books.Lost);

        rig.Say(Long);
        rig.Say(Soon, clone(3));
        Assert.Equal(OtherLast - CloneLast, rig.Books.Lost);
    }

    /// <summary>A hello that names the epoch up to a sequence; 0 when it does not name it.</summary>
    private static Hello Hello(uint process, long number, long last = 0) => new()
    {
        Id = new HelloId(process, number),
        Full = true,
        Outbox = 5,
        Accepted = OtherLast,
        Fork = process == Clone ? "the outbox was put back" : "",
        Epochs = last == 0
            ? []
            : [
                new HelloEpoch(ProcessorRig.Epoch, new Predecessor(0, default),
                [
                    HelloLane.Empty,
                    new HelloLane(last, last, [new SequenceRange(1, last)]),
                    HelloLane.Empty,
                ]),
            ],
    };
}
