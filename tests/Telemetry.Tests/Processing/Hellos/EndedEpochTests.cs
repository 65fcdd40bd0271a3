using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Tests.Processing.Hellos;

/// <summary>What a hello says to have ended is called complete once it is settled, without a successor.</summary>
public sealed class EndedEpochTests
{
    [Theory]
    [InlineData(true, 3, false)]
    [InlineData(false, 3, true)]
    [InlineData(false, 5, false)]
    public void Epoch_is_complete_once_it_has_ended_and_all_of_it_is_settled(bool grows, long last, bool complete)
    {
        var rig = ProcessorRig.WithSchema();
        rig.Give(ProcessorRig.Floats(1, readings: 3));

        rig.Say(Hello(1, grows, last));
        rig.Say(Hello(2, grows, last));

        var answer = rig.Acks.Select(a => a.Ack).Last(a => a.InAnswerTo is not null);
        Assert.Equal(complete, Assert.Single(answer.Epochs).Complete);
        Assert.Equal(0, rig.Books.Lost);
    }

    private static Hello Hello(int number, bool grows, long last) => new()
    {
        Id = new HelloId(1, number),
        Full = true,
        Outbox = 5,
        Accepted = 5,
        OwnIsLast = grows,
        Epochs =
        [
            new HelloEpoch(ProcessorRig.Epoch, new Predecessor(0, default),
            [
                HelloLane.Empty,
                new HelloLane(last, last, [new SequenceRange(1, last)]),
                HelloLane.Empty,
            ]),
        ],
    };
}
