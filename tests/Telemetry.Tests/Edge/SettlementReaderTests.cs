using Telemetry.Edge.Uplink;
using Telemetry.Model;
using Telemetry.Model.Control;

namespace Telemetry.Tests.Edge;

/// <summary>What the cloud's word on settled ranges does to an outbox.</summary>
public sealed class SettlementReaderTests
{
    // Found by the simulation: an answer of a database that was put back meanwhile had come late and freed the frame;
    // the hello after it still named the frame as held (the free was not durable), so nothing was booked, and nobody
    // asked again.
    [Fact]
    public void Sequences_neither_settled_nor_here_are_lacking_until_they_are_booked() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        await rig.AcceptAsync(2);
        var reader = new SettlementReader(rig.Outbox);
        reader.Take(Word(rig, prefix: 0), isAnswer: true);
        Assert.False(reader.LacksSomething);

        rig.Outbox.Free(rig.Sealed[0]);
        reader.Take(Word(rig, prefix: 0), isAnswer: true);
        Assert.True(reader.LacksSomething);

        reader.Take(Word(rig, prefix: 0, new SettledRun(new SequenceRange(1, 3), RunState.Lost, 0)), isAnswer: true);
        Assert.False(reader.LacksSomething);
    });

    private static EpochSettlement Word(OutboxRig rig, long prefix, params SettledRun[] runs) => new(
        rig.Sealed[0].Key.Epoch,
        false,
        [LaneSettlement.Empty, new LaneSettlement(prefix, 0, 5, runs), LaneSettlement.Empty]);
}
