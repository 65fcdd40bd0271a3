using Telemetry.Storage.Alerts;

namespace Telemetry.Tests.Processing.Alerts;

/// <summary>Alerts of an outage whose backlog drains beside live frames, inside the real processor.</summary>
public sealed class AlertGapTests
{
    private const long Minute = 60_000_000;

    private readonly ProcessorRig _rig;
    private readonly PromisingGateway _gateway = new();
    private readonly long _now;

    public AlertGapTests()
    {
        _rig = Rig();
        _now = _rig.NowMicros;
    }

    [Fact]
    public void Alarm_inside_an_outage_is_published_late_once_the_watermark_has_passed()
    {
        _rig.Give(_gateway.Live(_now - 60 * Minute, _now - 60 * Minute, 1));
        _rig.Give(_gateway.Live(_now - 60 * Minute, _now, 1));
        Assert.NotNull(Assert.Single(_rig.AlertStates).Gap);
        var inside = _gateway.Backlog(_now - 50 * Minute, 11, 12, 3);

        _rig.GiveBoth([], [inside]);
        Assert.Empty(_rig.Alerts);
        _rig.Give(_gateway.Live(_now + Minute / 2, _now + Minute, 1));

        Assert.Equal([AlertKind.Firing, AlertKind.Resolved], _rig.Alerts.Select(a => a.Kind));
        Assert.All(_rig.Alerts, a => Assert.True(a.Late));
        Assert.Equal([_now - 50 * Minute, _now - 48 * Minute], _rig.Alerts.Select(a => a.TimeMicros));
        Assert.Null(Assert.Single(_rig.AlertStates).Gap);
        Assert.Equal(InOrder(), _rig.Alerts.Select(a => a.Id));
        var row = Assert.Single(_rig.Store.Content.Alerts.Values);
        Assert.Equal((true, 12.0, AlertInstanceState.Resolved, 0), (row.IsLate, row.Peak, row.State, row.Revision));
    }

    [Fact]
    public void Alarm_that_outlasts_the_outage_keeps_its_id_and_is_revised()
    {
        _rig.Give(_gateway.Live(_now - 60 * Minute, _now - 60 * Minute, 1));
        _rig.Give(_gateway.Live(_now - 60 * Minute, _now, 11));
        var published = Assert.Single(_rig.Alerts);
        Assert.False(published.Late);

        _rig.GiveBoth([], [_gateway.Backlog(_now - 10 * Minute, 1, 1, 15, 14)]);
        _rig.Give(_gateway.Live(_now + Minute / 2, _now + Minute, 12));

        var revised = _rig.Alerts[^1];
        Assert.Equal(2, _rig.Alerts.Length);
        Assert.Equal(
            (AlertKind.Revised, published.Instance, _now - 8 * Minute, true, 1),
            (revised.Kind, revised.Instance, revised.StartedMicros, revised.Late, revised.Revision));
        _rig.Give(_gateway.Live(_now + 3 * Minute, _now + 4 * Minute, 1));
        Assert.Equal((AlertKind.Resolved, published.Instance), (_rig.Alerts[^1].Kind, _rig.Alerts[^1].Instance));
        Assert.Equal(_now - 8 * Minute, _rig.Alerts[^1].StartedMicros);
    }

    [Fact]
    public void Alarm_that_was_none_is_retracted()
    {
        var rig = Rig(TimeSpan.FromMinutes(10));
        rig.Give(_gateway.Live(_now - 60 * Minute, _now - 60 * Minute, 11));
        rig.Give(_gateway.Live(_now - 60 * Minute, _now, 11));
        Assert.Equal(AlertKind.Firing, Assert.Single(rig.Alerts).Kind);

        rig.GiveBoth([], [_gateway.Backlog(_now - 30 * Minute, 1)]);
        rig.Give(_gateway.Live(_now + Minute / 2, _now + Minute, 11));

        Assert.Equal([AlertKind.Firing, AlertKind.Retracted], rig.Alerts.Select(a => a.Kind));
        Assert.Equal(AlertInstanceState.Retracted, Assert.Single(rig.Store.Content.Alerts.Values).State);
        Assert.Equal(AlertPhase.Pending, Assert.Single(rig.AlertStates).State.Phase);
    }

    [Fact]
    public void Run_in_many_steps_over_a_failing_database_publishes_the_same()
    {
        var rig = Rig(runReadings: 2);
        var fails = 0;
        rig.Store.Calls.LosesAnswer = _ => fails++ % 3 == 2;
        var minutes = new double[40];
        Array.Fill(minutes, 1);
        (minutes[3], minutes[20], minutes[21]) = (11, 12, 13);

        rig.Give(_gateway.Live(_now - 60 * Minute, _now - 60 * Minute, 1));
        rig.Give(_gateway.Live(_now - 60 * Minute, _now, 1));
        rig.GiveBoth([], [_gateway.Backlog(_now - 50 * Minute, minutes)]);
        rig.Give(_gateway.Live(_now + Minute / 2, _now + Minute, 1));
        rig.Store.Calls.LosesAnswer = _ => false;
        rig.Give();

        Assert.Equal(
            [-47, -46, -30, -28], rig.Alerts.Select(a => (int)((a.TimeMicros - _now) / Minute)));
        Assert.All(rig.Alerts, a => Assert.True(a.Late));
        Assert.Null(Assert.Single(rig.AlertStates).Gap);
    }

    // The same readings in order, in another database.
    private IEnumerable<string> InOrder()
    {
        var (rig, gateway) = (Rig(), new PromisingGateway());
        rig.Give(
            gateway.Live(_now - 60 * Minute, _now - 60 * Minute, 1), gateway.Live(_now, _now - 50 * Minute, 11, 12, 3),
            gateway.Live(_now, _now, 1), gateway.Live(_now, _now + Minute, 1));
        return rig.Alerts.Select(a => a.Id);
    }

    private static ProcessorRig Rig(TimeSpan duration = default, int runReadings = 30_000)
    {
        var options = SampleRules.With(SampleRules.Hot() with { For = duration });
        return ProcessorRig.WithSchema(
            options with { Alerts = options.Alerts with { RunReadingsMax = runReadings } });
    }
}
