using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Identity;
using Telemetry.Processing.Presence;
using Telemetry.Storage;
using Telemetry.Storage.Fleet;
using Telemetry.Streams;
using Telemetry.Streams.Fleet;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Presence;

public sealed class PresenceRecorderTests : IPresenceTable
{
    private static readonly GatewayId One = GatewayId.Parse("gw-1");

    private readonly List<(IReadOnlyList<IngressRunRow> Runs, IReadOnlyList<PresenceRow> Rows)> _written = [];
    private readonly PresenceRecorder _recorder;
    private bool _fails;

    public PresenceRecorderTests()
    {
        var clock = new SimulatedClock();
        _recorder = new PresenceRecorder(
            new Nobody(), this, new ReportedFailure("fails", "works", clock, NullLogger.Instance), clock);
    }

    [Fact]
    public async Task Reports_are_written_together_each_gateway_once_with_what_is_newest()
    {
        Say(1, new GatewayPresence(One, true, 100, 1));
        Say(1, new GatewayPresence(One, false, 200, 1));
        Say(1, new GatewayPresence(One, true, 300, 2) { Version = "2" });
        Say(1, new GatewayPresence(One, false, 250, 1));

        await _recorder.WriteAsync(default);
        await _recorder.WriteAsync(default);

        var (runs, rows) = Assert.Single(_written);
        Assert.Equal(1UL, Assert.Single(runs).Run);
        var row = Assert.Single(rows);
        Assert.Equal((true, 300, "2"), (row.Connected, row.SinceMicros, row.Version));
    }

    [Fact]
    public async Task End_at_one_ingress_does_not_hide_the_session_at_another()
    {
        Say(2, new GatewayPresence(One, true, 100, 1));
        Say(1, new GatewayPresence(One, false, 200, 9));

        await _recorder.WriteAsync(default);

        Assert.Equal((2UL, true), (_written[0].Rows[0].Run, _written[0].Rows[0].Connected));
    }

    [Fact]
    public async Task What_the_database_did_not_take_is_written_later_without_undoing_what_came_meanwhile()
    {
        _fails = true;
        Say(1, new GatewayPresence(One, true, 100, 1));
        await _recorder.WriteAsync(default);
        Say(1, new GatewayPresence(One, false, 200, 1));
        _fails = false;

        await _recorder.WriteAsync(default);

        Assert.False(Assert.Single(Assert.Single(_written).Rows).Connected);
    }

    [Fact]
    public async Task Bytes_of_somebody_else_are_left_alone()
    {
        _recorder.Take(new byte[] { 1, 2, 3 });

        await _recorder.WriteAsync(default);

        Assert.Empty(_written);
    }

    Task IPresenceTable.WriteAsync(
        IReadOnlyList<IngressRunRow> runs, IReadOnlyList<PresenceRow> rows, CancellationToken cancellationToken)
    {
        if (_fails)
        {
            throw new StoreException("away", isDataFault: false, mayHaveCommitted: false);
        }

        _written.Add((runs, rows));
        return Task.CompletedTask;
    }

    private void Say(ulong run, GatewayPresence presence) =>
        _recorder.Take(new PresenceReport($"ingress {run}", run, 0, [presence]).ToBytes());

    private sealed class Nobody : IFleetChannel
    {
        public ValueTask ReportPresenceAsync(ReadOnlyMemory<byte> report, CancellationToken cancellationToken) =>
            default;

        public ValueTask<IAsyncDisposable> ListenPresenceAsync(
            bool shared, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
            throw new FrameLogException("away");

        public ValueTask PublishChangesAsync(
            int partition, ReadOnlyMemory<byte> changes, CancellationToken cancellationToken) => default;

        public ValueTask<IAsyncDisposable> ListenChangesAsync(
            Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
            throw new FrameLogException("away");
    }
}
