using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink.Sending;

/// <summary>Each stream must be readable by itself, so each gets the schemas that its frames need.</summary>
public sealed class SentSchemasTests
{
    private readonly List<SchemaRow> _chain = [];
    private readonly SentSchemas _sent;

    public SentSchemasTests()
    {
        _sent = new SentSchemas(_chain);
        Grow(4);
    }

    [Fact]
    public void Chain_goes_up_from_its_first_schema_in_each_stream_once()
    {
        foreach (var stream in Enum.GetValues<StreamKind>())
        {
            for (var step = 1; step <= 4; step++)
            {
                Assert.False(_sent.IsReady(stream, Id(step)));
                Assert.Equal(Id(step), _sent.Next(stream, 4)?.Id);
                _sent.Accepted(_sent.Take(stream), null, 0, 0);
                Assert.True(_sent.IsReady(stream, Id(step)));
            }

            Assert.Null(_sent.Next(stream, 4));
        }
    }

    [Fact]
    public void Frame_that_needs_the_first_schema_waits_for_no_other()
    {
        Send(1);
        _sent.Take(StreamKind.Live);

        Assert.True(_sent.IsReady(StreamKind.Live, Id(1)));
        Assert.True(_sent.IsReady(StreamKind.Live, default));
        Assert.False(_sent.IsReady(StreamKind.Live, Id(2)));
    }

    [Fact]
    public void Schema_is_ready_when_all_before_it_are_whatever_the_order_of_their_pubacks()
    {
        var (first, second, third) =
            (_sent.Take(StreamKind.Live), _sent.Take(StreamKind.Live), _sent.Take(StreamKind.Live));
        _sent.Accepted(third, null, 0, 0);
        _sent.Failed(second);
        _sent.Accepted(first, null, 0, 0);
        Assert.Equal(1, _sent.ReadyTo(StreamKind.Live));
        Assert.Equal(Id(2), _sent.Next(StreamKind.Live, 4)?.Id);

        _sent.Accepted(_sent.Take(StreamKind.Live), null, 0, 0);
        Assert.Equal(3, _sent.ReadyTo(StreamKind.Live));
    }

    [Fact]
    public void What_the_database_knows_is_not_sent_in_live_and_stands_not_in_backlog()
    {
        var onTheWay = _sent.Take(StreamKind.Live);
        _sent.Known([Id(3)]);

        Assert.True(_sent.IsReady(StreamKind.Live, Id(3)));
        Assert.Equal(Id(4), _sent.Next(StreamKind.Live, 4)?.Id);
        Assert.Equal(0, _sent.ReadyTo(StreamKind.Backlog));
        _sent.Accepted(_sent.Take(StreamKind.Live), null, 0, 0);
        _sent.Accepted(onTheWay, null, 0, 0);
        Assert.Equal(4, _sent.ReadyTo(StreamKind.Live));
    }

    [Fact]
    public void Schema_that_is_not_of_the_chain_says_nothing_of_it()
    {
        _sent.Known([SchemaMessage.Of(Id(4), [Series(9)]).Id]);

        Assert.Equal(0, _sent.ReadyTo(StreamKind.Live));
    }

    [Fact]
    public void Needed_schema_goes_up_again_in_every_stream_with_all_before_it()
    {
        Send(3);
        _sent.Accepted(_sent.Take(StreamKind.Backlog), null, 0, 0);
        var before = _sent.Take(StreamKind.Live);

        Assert.True(_sent.Needed(Id(3)));
        Assert.False(_sent.Needed(Id(3))); // It is to be sent already.
        _sent.Accepted(before, null, 0, 0); // Of what was sent before nothing is known.

        Assert.Equal(Id(1), _sent.Next(StreamKind.Live, 4)?.Id);
        Assert.Equal(Id(1), _sent.Next(StreamKind.Backlog, 4)?.Id);
        Assert.Equal(0, _sent.ReadyTo(StreamKind.Live));
    }

    [Theory]
    [InlineData(20, 30, 3)] // Not read yet.
    [InlineData(25, 30, 1)] // Read, and not registered.
    [InlineData(5, 24, 1)] // Not in the log any more.
    public void Schema_is_lost_as_a_frame_is(long position, long end, int readyTo) => OutboxRig.Run(async rig =>
    {
        await HoldAsync(rig);
        var sent = new SentSchemas(rig.Outbox.Schemas);
        for (var step = 0; step < 3; step++)
        {
            sent.Accepted(sent.Take(StreamKind.Live), new Receipt(StreamKind.Live, 23 + step), 0, 0);
        }

        var known = rig.Outbox.Schemas[0].Message.Id;
        sent.Answered(Answer(known, position, end), rig.Outbox.Held, rig.Clock, TimeSpan.FromSeconds(30));

        Assert.Equal(readyTo, sent.ReadyTo(StreamKind.Live));
    });

    [Fact]
    public void Schema_that_was_known_and_is_not_any_more_goes_up() => OutboxRig.Run(async rig =>
    {
        await HoldAsync(rig);
        var sent = new SentSchemas(rig.Outbox.Schemas);
        sent.Known([rig.Outbox.Schemas[2].Message.Id]);

        sent.Answered(
            Answer(rig.Outbox.Schemas[0].Message.Id, 0, 0), rig.Outbox.Held, rig.Clock, TimeSpan.FromSeconds(30));

        Assert.Equal(1, sent.ReadyTo(StreamKind.Live));
    });

    [Fact]
    public void Schema_whose_puback_came_after_the_hello_is_not_judged_by_the_answer() => OutboxRig.Run(async rig =>
    {
        await HoldAsync(rig);
        var sent = new SentSchemas(rig.Outbox.Schemas);
        sent.Accepted(sent.Take(StreamKind.Live), new Receipt(StreamKind.Live, 23), 1, 0);

        sent.Answered(Answer(default, 25, 30), rig.Outbox.Held, rig.Clock, TimeSpan.FromSeconds(30));

        Assert.Equal(1, sent.ReadyTo(StreamKind.Live));
    });

    [Fact]
    public void Hello_asks_for_few_of_a_long_chain()
    {
        Grow(996);
        _sent.Known([Id(700)]);

        Assert.Equal(
            [1000, 999, 998, 996, 992, 984, 968, 936, 872, 744, 488, 700], _sent.ToAsk([]).Select(_sent.StepOf));
    }

    [Fact]
    public void Long_chain_costs_no_walk_for_each_schema()
    {
        Grow(20_000);
        Send(20_000); // A walk for each would be two hundred million steps.
        Assert.Equal(20_000, _sent.ReadyTo(StreamKind.Live));
    }

    private static StoredAck Answer(SchemaId known, long position, long end) => new()
    {
        Token = 5,
        InAnswerTo = new HelloId(7, 1),
        KnownSchemas = known == default ? [] : [known],
        Live = new StreamProgress(position, end),
    };

    // Three schemas, and a frame that needs the last.
    private static async Task HoldAsync(OutboxRig rig)
    {
        for (var i = 0; i < 3; i++)
        {
            await rig.AcceptAsync(1, rig.Series($"step-{i}"));
        }

        await rig.SealAsync();
    }

    private static SeriesDefinition Series(int step) =>
        new() { Device = "d", Metric = $"{step}", Type = MetricType.Float };

    private SchemaId Id(int step) => _chain[step - 1].Message.Id;

    private void Send(int schemas)
    {
        for (var i = 0; i < schemas; i++)
        {
            Assert.NotNull(_sent.Next(StreamKind.Live, _chain.Count));
            _sent.Accepted(_sent.Take(StreamKind.Live), null, 0, 0);
        }
    }

    private void Grow(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            var parent = _chain.Count == 0 ? default : _chain[^1].Message.Id;
            _chain.Add(new SchemaRow(SchemaMessage.Of(parent, [Series(_chain.Count)]), _chain.Count + 1));
        }
    }
}
