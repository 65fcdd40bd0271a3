using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>What the uplink makes of the cloud's words.</summary>
public sealed class DeliveryTrackerTests
{
    private static readonly UplinkOptions Options = new();

    [Fact]
    public void Answered_hello_is_not_said_again_before_its_time() => Run(async (rig, delivery) =>
    {
        delivery.Take(Answer(SaidBy(delivery), rig.Outbox.CompleteDigest));
        await rig.After(Options.AnswerTimeout * 2);

        Assert.False(delivery.Hellos.IsDue());
    });

    // Found by the simulation: a hello of the life before came late, and its word on what it held stayed the last one.
    [Fact]
    public void Answer_to_a_hello_of_another_process_makes_the_agent_speak_again() => Run(async (rig, delivery) =>
    {
        var said = SaidBy(delivery);
        delivery.Take(Answer(said, rig.Outbox.CompleteDigest));
        delivery.Take(Answer(said with { Process = said.Process + 1 }, rig.Outbox.CompleteDigest));

        Assert.False(delivery.Hellos.IsDue()); // Two clones must not answer each other at the speed of the link.
        await rig.After(Options.AnswerTimeout);
        Assert.True(delivery.Hellos.IsDue());
    });

    [Fact]
    public void Answer_says_in_which_version_frames_are_sealed() => Run((rig, delivery) =>
    {
        var said = Hello.Read(delivery.Hellos.Say(full: true));
        Assert.Equal(1, said.FrameVersion);
        Assert.Equal(0, rig.Outbox.FrameVersion);

        delivery.Take(Answer(said.Id, rig.Outbox.CompleteDigest, frameVersion: 1));
        Assert.Equal(1, rig.Outbox.FrameVersion);

        delivery.Take(Answer(SaidBy(delivery), rig.Outbox.CompleteDigest));
        Assert.Equal(0, rig.Outbox.FrameVersion); // A cloud that was put back reads version 0 alone.
        return Task.CompletedTask;
    });

    [Fact]
    public void Hello_that_an_older_cloud_refuses_is_said_again_at_once_without_a_version() => Run((rig, delivery) =>
    {
        delivery.Take(Answer(SaidBy(delivery), rig.Outbox.CompleteDigest, frameVersion: 1));
        delivery.Begin();
        SaidBy(delivery);
        delivery.Hellos.Malformed();

        Assert.True(delivery.Hellos.IsDue());
        Assert.Equal((0, 0), (Hello.Read(delivery.Hellos.Say(full: true)).FrameVersion, rig.Outbox.FrameVersion));

        delivery.Hellos.Malformed();
        Assert.False(delivery.Hellos.IsDue()); // For another fault than that: it waits as before.
        delivery.Begin();
        Assert.Equal(1, Hello.Read(delivery.Hellos.Say(full: true)).FrameVersion); // Perhaps it was upgraded meanwhile.
        return Task.CompletedTask;
    });

    private static void Run(
        Func<OutboxRig, DeliveryTracker, Task> test) => OutboxRig.Run(rig => test(rig, new DeliveryTracker(
        rig.Outbox, OutboxRig.Gateway, Options, rig.Clock, new Random(1), NullLogger.Instance, new UplinkStatus(),
        new AnswerOrder())));

    private static HelloId SaidBy(DeliveryTracker delivery) => Hello.Read(delivery.Hellos.Say(full: true)).Id;

    private static byte[] Answer(HelloId hello, ulong digest, byte frameVersion = 0)
    {
        var writer = new WireWriter();
        new StoredAck { Token = 5, InAnswerTo = hello, Digest = digest, FrameVersion = frameVersion }.Write(writer);
        return writer.ToArray();
    }
}
