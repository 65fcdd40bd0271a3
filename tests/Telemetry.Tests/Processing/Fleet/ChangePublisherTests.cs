using Telemetry.Streams.Fleet;
using Telemetry.Tests.Dashboard.Live;

namespace Telemetry.Tests.Processing.Fleet;

/// <summary>The changes as a real processor tells them.</summary>
public sealed class ChangePublisherTests
{
    private readonly FakeFleetChannel _channel = new();

    private PartitionChanges[] Told =>
        [.. _channel.Published.Select(p => PartitionChanges.Read(p.Bytes))];

    [Fact]
    public void Commits_are_told_without_a_gap_and_with_the_totals_of_the_books()
    {
        var rig = new ProcessorRig(fleet: _channel);
        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, readings: 3));
        rig.Give(ProcessorRig.Floats(4, readings: 2));

        var told = Told;
        Assert.All(told.Zip(told.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
        var changed = told.SelectMany(t => t.Gateways).ToArray();
        Assert.Equal((ProcessorRig.Gateway, 3), (changed[0].Gateway, changed[0].Stored));
        Assert.Equal(rig.Books.Stored, changed[^1].Stored);
        Assert.Equal(5, changed[^1].Stored);
    }

    [Fact]
    public void Quiet_partition_is_told_of_every_two_seconds_and_not_with_each_renewal()
    {
        var rig = new ProcessorRig(fleet: _channel);
        rig.Give();

        Assert.InRange(Told.Length, 20, 31);
    }

    [Fact]
    public void Message_that_could_not_be_sent_shows_as_a_jump_in_the_next_one()
    {
        var rig = new ProcessorRig(fleet: _channel);
        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, readings: 3));
        var before = Told[^1].To;
        _channel.Fails = true;
        rig.Give(ProcessorRig.Floats(4, readings: 2));
        _channel.Fails = false;
        rig.Give();

        var next = Told.First(t => t.To > before);
        Assert.True(next.From > before, $"{next.From} follows {before}");
        Assert.Equal(5, rig.Books.Stored);
    }
}
