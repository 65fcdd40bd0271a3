using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Dashboard.Live;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Wire;
using Telemetry.Storage.Fleet;
using Telemetry.Streams.Fleet;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Dashboard.Live;

public sealed class FleetFeedTests
{
    private readonly SimulatedClock _clock = new();
    private readonly FakeFleetQueries _queries = new();
    private readonly FakeFleetChannel _channel = new();
    private readonly FleetModel _model;
    private readonly FleetFeed _feed;

    public FleetFeedTests()
    {
        _model = new FleetModel(_clock);
        _feed = new FleetFeed(
            _model, _queries, _channel, new EventStream(_clock),
            new ReportedFailure("fails", "works", _clock, NullLogger.Instance), _clock);
        _queries.Fleet = new FleetSnapshot(
            0, [new FleetPartition(0, 10, "", 0)], [new FleetGateway { Gateway = "a", Partition = 0, Stored = 1 }]);
    }

    [Fact]
    public async Task Feed_listens_first_then_loads_and_is_not_behind()
    {
        await Begin();

        Assert.Equal("nothing", _feed.Health.What);
        Assert.Equal(1, _model.Find("a", SiteLimit.None)!.Stored);
        Assert.Equal(["listen", "listen", "load all"], _channel.Done.Concat(_queries.Asked));
    }

    [Fact]
    public async Task Jump_is_read_from_the_database_once()
    {
        await Begin();

        Tell(14, 15);
        await Step(1);
        await Step(1);

        Assert.Equal(["load all", "load 0"], _queries.Asked);
    }

    [Fact]
    public async Task Silence_is_said_with_its_beginning_and_ends_when_something_is_heard()
    {
        await Begin();
        Tell(10, 11);
        await Step(1);
        var heard = _clock.GetUtcNow();

        await Step(10);
        Assert.Equal("nats", _feed.Health.What);
        Assert.InRange(
            DateTimeOffset.UnixEpoch.AddTicks(_feed.Health.SinceMicros * 10), heard.AddSeconds(-2), heard);
        var since = _feed.Health.SinceMicros;
        await Step(5);
        Assert.Equal(since, _feed.Health.SinceMicros);

        Tell(11, 12);
        await Step(1);
        Assert.Equal("nothing", _feed.Health.What);
    }

    [Fact]
    public async Task Partition_that_nobody_tells_of_is_named()
    {
        _queries.Fleet = _queries.Fleet with
        {
            Partitions = [new FleetPartition(0, 10, "", 0), new FleetPartition(7, 10, "", 0)],
        };
        await Begin();
        for (var commit = 10; commit < 20; commit++)
        {
            Tell(commit, commit + 1);
            await Step(1);
        }

        Assert.Equal("partitions", _feed.Health.What);
        Assert.Contains("partitions 7;", _feed.Health.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_that_does_not_answer_is_said_and_what_was_asked_is_read_when_it_does()
    {
        await Begin();
        _queries.Fails = true;
        Tell(14, 15);
        await Step(1);
        await Step(1);
        Assert.Equal("database", _feed.Health.What);

        _queries.Fails = false;
        Tell(15, 16);
        await Step(2);
        await Step(1);

        Assert.Equal("nothing", _feed.Health.What);
        Assert.Equal("load 0", _queries.Asked[^1]);
    }

    [Fact]
    public async Task Metadata_is_read_every_minute()
    {
        await Begin();
        for (var second = 0; second < 62; second++)
        {
            Tell(10 + second, 11 + second);
            await Step(1);
        }

        Assert.Equal(["load all", "load all"], _queries.Asked);
    }

    private async Task Begin()
    {
        _clock.Advance(TimeSpan.FromSeconds(1));
        using var stop = new CancellationTokenSource();
        var running = _feed.RunAsync(stop.Token);
        await stop.CancelAsync();
        _clock.Advance(TimeSpan.FromSeconds(1));
        await running;
        await Step(1);
    }

    private Task Step(int seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        return _feed.StepAsync(default);
    }

    private void Tell(long from, long to)
    {
        var writer = new WireWriter();
        new PartitionChanges(0, from, to, 0, []).Write(writer);
        _channel.Changes(writer.ToArray());
    }
}
