using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Ledger;

/// <summary>A complete epoch has shrunk to its last sequences and lost runs, and forgets nothing by that.</summary>
public sealed class CompleteEpochTests
{
    private const ulong Epoch = 5;
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly LaneLasts Lasts = new(0, 20, 4);
    private static readonly SettledRun Lost = new(new SequenceRange(8, 10), RunState.Lost, 0);

    [Fact]
    public void What_is_settled_and_what_is_lost_of_it_is_told_apart()
    {
        var epoch = Closed().Epoch(Epoch)!;

        Assert.Equal(Placement.Settled, epoch.Place(Lane.Live, new(1, 7)));
        Assert.Equal(Placement.Lost, epoch.Place(Lane.Live, new(8, 10)));
        Assert.Equal(Placement.Overlap, epoch.Place(Lane.Live, new(7, 8)));
        Assert.Equal(Placement.Settled, epoch.Place(Lane.Backlog, new(1, 4)));
        Assert.Equal(Placement.New, epoch.Place(Lane.Live, new(21, 30)));
        Assert.Equal(Placement.Overlap, epoch.Place(Lane.Live, new(20, 21)));
    }

    [Fact]
    public void Stored_ack_and_answer_name_its_lost_runs_so_that_their_frames_are_kept()
    {
        var epoch = Closed().Epoch(Epoch)!;
        var told = new HelloEpoch(
            Epoch, new Predecessor(0, default),
            [HelloLane.Empty, new HelloLane(20, 20, [new(8, 10)]), HelloLane.Empty]);

        foreach (var said in (EpochSettlement[])[Settlements.Of(epoch), Settlements.Of(epoch, told, _ => null)])
        {
            Assert.True(said.Complete);
            Assert.Equal([Lost], said.Lanes[(int)Lane.Live].Runs);
            Assert.Equal((20, 4), (said.Lanes[(int)Lane.Live].Announced, said.Lanes[(int)Lane.Backlog].Announced));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Epoch_that_is_opened_again_remembers_what_was_settled(bool afterARestart)
    {
        var rows = new Rows();
        var gateway = Closed(rows);
        gateway.Announce(new EpochLasts(Epoch, Lasts with { Live = 25 }));
        rows.Write(gateway);
        gateway = afterARestart ? rows.Load() : gateway;

        var epoch = gateway.Epoch(Epoch)!;
        Assert.False(epoch.Complete);
        Assert.Equal(Placement.Settled, epoch.Place(Lane.Live, new(1, 7)));
        Assert.Equal(Placement.Lost, epoch.Place(Lane.Live, new(8, 10)));
        Assert.Equal(Placement.Settled, epoch.Place(Lane.Live, new(11, 20)));
        Assert.Equal(Placement.New, epoch.Place(Lane.Live, new(21, 25)));
        Assert.Equal(Placement.Settled, epoch.Place(Lane.Backlog, new(1, 4)));
        Assert.False(epoch.AllSettled);
        Assert.NotEqual(rows.DigestClosed, gateway.Digest);
    }

    [Fact]
    public void Epoch_that_is_opened_again_is_complete_again_once_the_rest_is_settled()
    {
        var gateway = Closed();
        gateway.Announce(new EpochLasts(Epoch, Lasts with { Live = 25 }));
        Assert.Empty(gateway.CloseEpochs());

        gateway.Epoch(Epoch)![Lane.Live].Settle(new(21, 25), 3);

        Assert.Equal([Epoch], gateway.CloseEpochs().Select(e => e.Epoch));
        Assert.Equal(Placement.Lost, gateway.Epoch(Epoch)!.Place(Lane.Live, new(8, 10)));
        Assert.Equal(Placement.Settled, gateway.Epoch(Epoch)!.Place(Lane.Live, new(21, 25)));
    }

    [Fact]
    public void Lost_run_of_it_that_turns_up_is_settled_after_a_restart_too()
    {
        var rows = new Rows();
        var gateway = Closed(rows);

        gateway.Epoch(Epoch)![Lane.Live].Recover(new(8, 10), 7);
        rows.Write(gateway);

        foreach (var now in (GatewayLedger[])[gateway, rows.Load()])
        {
            Assert.Equal(Placement.Settled, now.Epoch(Epoch)!.Place(Lane.Live, new(8, 10)));
        }
    }

    private static GatewayLedger Closed(Rows? rows = null)
    {
        rows ??= new Rows();
        var gateway = rows.Load();
        var epoch = gateway.Epoch(Epoch)!;
        epoch[Lane.Live].Settle(new(1, 7), 1);
        epoch[Lane.Live].BookLost(Lost.Range);
        epoch[Lane.Live].Settle(new(11, 20), 2);
        epoch[Lane.Backlog].Settle(new(1, 4), 4);
        rows.Write(gateway);
        gateway.Follow(gateway.Epoch(Epoch + 1)!, new Predecessor(Epoch, Lasts));
        Assert.Equal([Epoch], gateway.CloseEpochs().Select(e => e.Epoch));
        rows.Write(gateway);
        rows.DigestClosed = gateway.Digest;
        return gateway;
    }

    /// <summary>What a database keeps of the commits.</summary>
    private sealed class Rows
    {
        private readonly Dictionary<ulong, EpochLedgerRow> _epochs = [];
        private readonly Dictionary<(ulong, Lane), LaneLedgerRow> _lanes = [];
        private readonly Dictionary<RunId, RunRow> _runs = [];

        public ulong DigestClosed { get; set; }

        public void Write(GatewayLedger gateway)
        {
            var commit = new StoreCommit();
            gateway.WriteChanges(commit);
            commit.RemovedRuns.ForEach(id => _runs.Remove(id));
            commit.Epochs.ForEach(e => _epochs[e.Epoch] = e);
            commit.Lanes.ForEach(l => _lanes[(l.Epoch, l.Lane)] = l);
            commit.Runs.ForEach(r => _runs[new RunId(Gateway, r.Epoch, r.Lane, r.Run.Range.First)] = r);
            foreach (var (_, complete) in commit.RemovedLanes)
            {
                for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
                {
                    _lanes.Remove((complete, lane));
                }

                foreach (var run in _runs.Where(
                    r => r.Key.Epoch == complete && r.Value.Run.State == RunState.Settled).ToArray())
                {
                    _runs.Remove(run.Key);
                }
            }
        }

        public GatewayLedger Load() => new(
            new GatewayRecord(null, Gateway, [.. _epochs.Values], [.. _lanes.Values], [.. _runs.Values], [], []), 0);
    }
}
