using Telemetry.Dashboard.Live;
using Telemetry.Model.Identity;
using Telemetry.Storage.Fleet;
using Telemetry.Streams.Fleet;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Dashboard.Live;

public sealed class FleetModelTests
{
    private readonly SimulatedClock _clock = new();
    private readonly FleetModel _model;

    public FleetModelTests() => _model = new FleetModel(_clock);

    private long Now => (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    [Fact]
    public void State_of_each_gateway_follows_from_connection_watermark_and_forks()
    {
        Load(
            Gateway("fresh"),
            Gateway("draining") with { WatermarkMicros = Now - GatewayStates.FreshMicros - 1 },
            Gateway("never") with { WatermarkMicros = null },
            Gateway("offline") with { Presence = Presence(connected: false) },
            Gateway("fork") with { Fork = "lineage", Presence = Presence(connected: false) },
            Gateway("silent") with { Presence = null, ChangedMicros = Now - GatewayStates.SilentMicros - 1 },
            Gateway("foreign") with { Presence = null });
        _model.Tick(hearing: true);

        Assert.Equal(
            ["fork Fork", "offline Offline", "silent Offline", "draining Draining", "never Draining", "foreign Fresh",
                "fresh Fresh"],
            _model.Find(new FleetFilter { Sort = FleetSort.Worst }).Rows.OrderBy(r => r.State)
                .ThenBy(r => r.Name, StringComparer.Ordinal).Select(r => $"{r.Name} {r.State}"));
        Assert.Equal([1, 2, 2, 2], _model.Summary.States);
    }

    [Fact]
    public void Healthy_gateway_that_falls_silent_drains_by_time_alone()
    {
        Load(Gateway("a"));
        _model.Tick(hearing: true);
        Assert.Equal(GatewayState.Fresh, Row("a").State);

        _clock.Advance(TimeSpan.FromSeconds(121));
        _model.Tick(hearing: false);

        Assert.Equal(GatewayState.Draining, Row("a").State);
    }

    [Fact]
    public void Commits_are_followed_without_reading_the_database()
    {
        Load(Gateway("a") with { Accepted = 5, Stored = 5 });

        _model.Take(Changes(10, 11, Change("a", accepted: 9, stored: 7)));

        Assert.Equal((9, 7, 2), (Row("a").Accepted, Row("a").Stored, Row("a").AtRisk));
        Assert.Empty(_model.TakeAsked().Partitions);
    }

    [Fact]
    public void Jump_of_the_count_of_commits_asks_for_the_partition_and_its_reading_heals_it()
    {
        Load(Gateway("a"));

        _model.Take(Changes(12, 13));
        Assert.Equal([0], _model.TakeAsked().Partitions);
        _model.Load(Snapshot(13, Gateway("a") with { Stored = 100 }), 0);
        _model.Take(Changes(13, 14));

        Assert.Equal(100, Row("a").Stored);
        Assert.Empty(_model.TakeAsked().Partitions);
    }

    [Fact]
    public void Old_message_and_old_reading_change_nothing()
    {
        Load(Gateway("a"));
        _model.Take(Changes(10, 15, Change("a", accepted: 9, stored: 9)));

        _model.Take(Changes(11, 12, Change("a", accepted: 1, stored: 1)));
        _model.Load(Snapshot(12, Gateway("a") with { Stored = 1 }), null);

        Assert.Equal(9, Row("a").Stored);
    }

    [Fact]
    public void Database_that_was_put_back_is_believed_after_three_old_messages()
    {
        Load(Gateway("a"));
        _model.Take(Changes(10, 50, Change("a", accepted: 9, stored: 9)));
        for (var commit = 20; commit < 23; commit++)
        {
            Assert.Empty(_model.TakeAsked().Partitions);
            _model.Take(Changes(commit, commit + 1));
        }

        Assert.Equal([0], _model.TakeAsked().Partitions);
        _model.Load(Snapshot(23, Gateway("a") with { Stored = 4 }), 0);

        Assert.Equal(4, Row("a").Stored);
    }

    [Fact]
    public void Ingress_that_is_silent_takes_its_gateways_with_it_but_not_while_nothing_is_heard()
    {
        Load(Gateway("a") with { Presence = null });
        _model.Take(Report("i1", new GatewayPresence(GatewayId.Parse("a"), true, Now, 1) { Version = "1" }));
        _clock.Advance(FleetModel.IngressSilence + TimeSpan.FromSeconds(1));
        _model.Tick(hearing: false);
        Assert.True(Row("a").Connected);

        var heard = Now;
        _clock.Advance(FleetModel.IngressSilence + TimeSpan.FromSeconds(1));
        _model.Tick(hearing: true);

        Assert.False(Row("a").Connected);
        Assert.Equal(heard, Row("a").SinceMicros);
    }

    [Fact]
    public void Gateway_that_moves_to_another_ingress_stays_connected_when_the_first_says_its_end()
    {
        var gateway = GatewayId.Parse("a");
        _model.Take(Report("i1", new GatewayPresence(gateway, true, Now, 1)));
        _model.Take(Report("i2", new GatewayPresence(gateway, true, Now + 5, 1)));
        _model.Take(Report("i1", new GatewayPresence(gateway, false, Now + 9, 1)));
        Assert.Equal((true, "i2"), (Row("a").Connected, Row("a").Ingress));

        _model.Take(Report("i2", new GatewayPresence(gateway, false, Now + 10, 1)));
        Assert.False(Row("a").Connected);
    }

    [Fact]
    public void Fleet_is_searched_filtered_sorted_and_paged()
    {
        Load([.. Enumerable.Range(0, 50).Select(i => Gateway($"gw-{i:00}") with
        {
            Accepted = i, Sites = [i % 2 == 0 ? "Basel" : "Bern"], Labels = [$"line={i % 5}"], Firing = i == 7 ? 2 : 0,
        })]);
        _model.Tick(hearing: true);

        Assert.Equal(25, _model.Find(new FleetFilter { Site = "Basel" }).Matched);
        Assert.Equal(5, _model.Find(new FleetFilter { Site = "Basel", Label = "line=2" }).Matched);
        Assert.Equal(25, _model.Find(new FleetFilter { Search = "BERN" }).Matched);
        Assert.Equal("gw-07", _model.Find(new FleetFilter()).Rows[0].Name);
        Assert.Equal(
            ["gw-49", "gw-48"],
            _model.Find(new FleetFilter { Sort = FleetSort.AtRisk, Descending = true, Limit = 2 })
                .Rows.Select(r => r.Name));
        var page = _model.Find(new FleetFilter { Sort = FleetSort.Name, Offset = 48, Limit = 10 });
        Assert.Equal((50, 2), (page.Matched, page.Rows.Count));
        Assert.Equal(["Basel", "Bern"], _model.Groups(10).Sites);
        Assert.Equal(5, _model.Groups(10).Labels.Count);
    }

    [Fact]
    public void Healthy_gateway_is_not_pushed_and_one_whose_state_changed_is()
    {
        Load(Gateway("a"));
        _model.Tick(hearing: true);
        _model.TakeChanged(10);
        _clock.Advance(TimeSpan.FromSeconds(2));

        _model.Take(Changes(10, 11, Change("a", accepted: 9, stored: 9)));
        _model.Tick(hearing: true);
        Assert.Empty(_model.TakeChanged(10)!);

        _model.Take(Changes(11, 12, Change("a", accepted: 9, stored: 9) with { Fork = "lineage" }));
        _model.Tick(hearing: true);
        Assert.Equal(GatewayState.Fork, Assert.Single(_model.TakeChanged(10)!).State);
    }

    [Fact]
    public void More_changes_than_fit_an_event_say_only_that_there_are_many()
    {
        Load(Gateway("a"), Gateway("b"), Gateway("c"));

        Assert.Null(_model.TakeChanged(2));
        Assert.Empty(_model.TakeChanged(2)!);
    }

    [Fact]
    public void Drain_is_estimated_from_what_was_settled_lately()
    {
        Load(Gateway("a") with { Accepted = 1000, WatermarkMicros = Now - 600_000_000 });
        for (var commit = 10; commit < 13; commit++)
        {
            _clock.Advance(TimeSpan.FromSeconds(2));
            _model.Take(Changes(commit, commit + 1, Change("a", 1000, 20 * (commit - 9)) with
            {
                WatermarkMicros = Now - 600_000_000,
            }));
        }

        _model.Tick(hearing: true);

        Assert.Equal(94, Row("a").DrainSeconds!.Value, 1.0);
    }

    [Fact]
    public void Alerts_are_counted_by_asking_for_the_gateways_that_were_told()
    {
        Load(Gateway("a"));
        _model.Take(Changes(10, 11, Change("a", 1, 1) with { AlertsChanged = true }));
        Assert.Equal(["a"], _model.TakeAsked().Gateways);

        _model.TakeFiring(["a"], new Dictionary<string, int> { ["a"] = 3 });
        Assert.Equal(3, Row("a").Firing);
        _model.TakeFiring(["a"], new Dictionary<string, int>());
        Assert.Equal(0, Row("a").Firing);
    }

    private void Load(params FleetGateway[] gateways) => _model.Load(Snapshot(10, gateways), null);

    private FleetSnapshot Snapshot(long commits, params FleetGateway[] gateways) =>
        new(Now, [new FleetPartition(0, commits, "owner", Now + 2_500_000)], gateways);

    private FleetGateway Gateway(string name) => new()
    {
        Gateway = name,
        Partition = 0,
        WatermarkMicros = Now - 1_000_000,
        ChangedMicros = Now,
        Presence = Presence(connected: true),
    };

    private FleetPresence Presence(bool connected) => new(connected, Now - 5_000_000, "i1", "1.0", 0, true);

    private PartitionChanges Changes(long from, long to, params GatewayChange[] gateways) =>
        new(0, from, to, Now, gateways);

    private GatewayChange Change(string name, long accepted, long stored) =>
        new(GatewayId.Parse(name), accepted, stored, 0, 0, 0, Now - 1_000_000, "");

    private PresenceReport Report(string ingress, params GatewayPresence[] gateways) =>
        new(ingress, 1, Now, gateways);

    private FleetRow Row(string name) => _model.Find(name)!;
}
