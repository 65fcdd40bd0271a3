using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Intake;

/// <summary>
/// What is read before its schema is kept, so that it is stored when the schema comes, though its agent is gone.
/// </summary>
public sealed class WaitingMessagesTests
{
    private static readonly SchemaMessage Child = SchemaMessage.Of(
        Samples.Schema().Id, [new SeriesDefinition { Device = "late", Metric = "comer", Type = MetricType.Float }]);

    [Fact]
    public void Frame_that_is_read_before_its_schema_is_stored_when_the_schema_comes()
    {
        var rig = new ProcessorRig();
        rig.Give(ProcessorRig.Floats(1, readings: 3));
        Assert.Empty(rig.Frames);

        rig.GiveBoth([], [ProcessorRig.Schema()]);

        Assert.Equal(3, rig.Readings.Length);
        Assert.Single(rig.Frames);
        Assert.Equal(3, rig.Books.Stored);
        Assert.Contains(
            rig.Acks, a => a.Ack.Epochs.Any(e => e.Lanes[(int)Lane.Live].Prefix == 3) && !a.Then.Frames.IsEmpty);
        Assert.Empty(rig.Store.Content.Waiting);
    }

    [Fact]
    public void Frame_and_schema_in_one_transaction_leave_nothing_waiting()
    {
        var rig = new ProcessorRig();

        rig.Give(ProcessorRig.Floats(1, readings: 3), ProcessorRig.Schema());

        Assert.Equal(3, rig.Readings.Length);
        Assert.Empty(rig.Store.Content.Waiting);
    }

    [Fact]
    public void Frame_that_the_agent_sends_again_is_stored_once()
    {
        var rig = new ProcessorRig();
        var frame = ProcessorRig.Floats(1, readings: 3);
        rig.Give(frame, frame);
        Assert.Single(rig.Store.Content.Waiting);

        rig.Give(ProcessorRig.Schema(), frame);

        Assert.Equal(3, rig.Readings.Length);
        Assert.Equal("", rig.Books.Fork);
    }

    [Fact]
    public void Schema_that_is_read_before_its_parent_is_registered_when_the_parent_comes()
    {
        var rig = new ProcessorRig();
        rig.Give(Samples.Bytes(w => Child.Write(w, Lane.Live)));
        Assert.Empty(rig.Store.Content.Schemas);

        rig.Give(ProcessorRig.Schema());

        Assert.Equal(2, rig.Store.Content.Schemas.Count);
        Assert.Empty(rig.Store.Content.Waiting);
    }

    [Fact]
    public void Waiting_frame_whose_reading_the_database_refuses_is_rejected_and_its_schema_is_registered()
    {
        var rig = new ProcessorRig();
        rig.Store.Refuses = commit => commit.Readings.Times.Contains(1_000_001) ? "22000: no" : null;
        rig.Give(ProcessorRig.Floats(1, readings: 3), ProcessorRig.Floats(4, readings: 1));

        rig.Give(ProcessorRig.Schema());

        Assert.Single(rig.Store.Content.Schemas);
        Assert.Equal((3, 1), (rig.Books.Stored, rig.Books.Rejected));
    }

    [Fact]
    public void Waiting_frame_that_is_refused_for_more_than_its_readings_keeps_no_schema_out()
    {
        var rig = new ProcessorRig();
        rig.Store.Refuses = commit => commit.Frames.Exists(f => f.Key.First == 1) ? "23514: no" : null;
        rig.Give(ProcessorRig.Floats(1, readings: 3), ProcessorRig.Floats(4, readings: 1));

        rig.Give(ProcessorRig.Schema());

        Assert.Single(rig.Store.Content.Schemas);
        Assert.Contains(rig.DeadLetters, d => d.Readings == 0 && d.Error.Contains("23514", StringComparison.Ordinal));
        Assert.Equal(0, rig.Books.Rejected);
    }

    [Fact]
    public void At_the_limit_the_oldest_is_given_up_for_the_newest()
    {
        var rig = new ProcessorRig();
        var frames = Enumerable.Range(1, WaitingList.MessagesMax + 5).Select(i => ProcessorRig.Floats(i, 1)).ToArray();
        rig.Give(frames);
        Assert.Equal(WaitingList.MessagesMax, rig.Store.Content.Waiting.Count);

        rig.Give(ProcessorRig.Schema());

        Assert.Equal(
            Enumerable.Range(6, WaitingList.MessagesMax).Select(i => (long)i), rig.Frames.Select(f => f.Key.First));
        Assert.Empty(rig.Store.Content.Waiting);
    }

    [Fact]
    public void Messages_that_are_too_large_wait_at_the_edge_alone()
    {
        var list = new WaitingList([]);

        Assert.False(list.Add(new WaitingId(Samples.Gateway, default, 1), WaitingList.BytesMax + 1, out _));
        Assert.Empty(list.Needing(default));
    }
}
