using Telemetry.Model.Protocol;

namespace Telemetry.Tests.Processing.Hellos;

/// <summary>A stream whose messages aged out, or were purged, before their owner read them.</summary>
public sealed class UnreadLossTests
{
    // Found by the simulation: no message came that would have shown the jump, and agents waited for ever.
    [Fact]
    public void Position_moves_on_where_nothing_is_left_to_read()
    {
        var rig = new ProcessorRig();
        rig.Give();
        rig.LoseUnread();

        rig.Say(Hello(1));
        rig.Say(Hello(2));

        var answer = rig.Acks.Select(a => a.Ack).Last(a => a.InAnswerTo is not null);
        Assert.Equal(new StreamProgress(1, 1), answer.Backlog);
    }

    private static Hello Hello(int number) => new()
    {
        Id = new HelloId(1, number),
        Full = true,
        Outbox = 5,
        Accepted = 5,
    };
}
