using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;

namespace Telemetry.Tests.Processing.Ledger;

public class LaneLedgerTests
{
    [Fact]
    public void Frames_in_order_make_a_prefix_and_no_runs()
    {
        var lane = new LaneLedger();
        lane.Settle(new(1, 10), 5);
        lane.Settle(new(11, 20), 7);

        Assert.Equal((20, 12UL, 0), (lane.Prefix, lane.PrefixShare, lane.Runs.Count));
    }

    [Fact]
    public void A_gap_makes_one_run_and_closing_it_makes_none()
    {
        var lane = new LaneLedger();
        lane.Settle(new(11, 20), 1);
        lane.Settle(new(21, 30), 2);
        Assert.Equal([new SettledRun(new(11, 30), RunState.Settled, 3)], lane.Runs);

        lane.Settle(new(1, 10), 4);
        Assert.Equal((30, 7UL, 0), (lane.Prefix, lane.PrefixShare, lane.Runs.Count));
    }

    [Fact]
    public void A_range_is_new_settled_lost_or_overlapping()
    {
        var lane = new LaneLedger();
        lane.Settle(new(1, 10), 1);
        lane.Settle(new(21, 30), 1);
        lane.BookLost(new(31, 40));

        Assert.Equal(Placement.Settled, lane.Place(new(3, 4)));
        Assert.Equal(Placement.Settled, lane.Place(new(21, 30)));
        Assert.Equal(Placement.New, lane.Place(new(11, 20)));
        Assert.Equal(Placement.New, lane.Place(new(41, 50)));
        Assert.Equal(Placement.Lost, lane.Place(new(31, 35)));
        Assert.Equal(Placement.Overlap, lane.Place(new(10, 11)));
        Assert.Equal(Placement.Overlap, lane.Place(new(20, 21)));
        Assert.Equal(Placement.Overlap, lane.Place(new(30, 31)));
        Assert.Equal(Placement.Overlap, lane.Place(new(15, 45)));
    }

    [Fact]
    public void A_loss_never_enters_the_prefix_and_its_recovery_does()
    {
        var lane = new LaneLedger();
        lane.Settle(new(1, 10), 1);
        Assert.Equal(10, lane.BookLost(new(1, 20)));
        lane.Settle(new(21, 30), 2);
        Assert.Equal(10, lane.Prefix);
        Assert.True(lane.SettledTo(30));

        lane.Recover(new(14, 16), 8);
        Assert.Equal(
            [
                new SettledRun(new(11, 13), RunState.Lost, 0),
                new SettledRun(new(14, 16), RunState.Settled, 8),
                new SettledRun(new(17, 20), RunState.Lost, 0),
                new SettledRun(new(21, 30), RunState.Settled, 2),
            ],
            lane.Runs);

        lane.Recover(new(11, 13), 16);
        lane.Recover(new(17, 20), 32);
        Assert.Equal((30, 59UL, 0), (lane.Prefix, lane.PrefixShare, lane.Runs.Count));
    }

    [Fact]
    public void What_is_written_and_removed_rebuilds_the_same_ledger_whatever_the_order()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var rows = new Dictionary<long, SettledRun>();
            var lane = new LaneLedger();
            var frames = Enumerable.Range(0, 30).Select(i => new SequenceRange(i * 4 + 1, i * 4 + 4)).ToArray();
            random.Shuffle(frames);
            var settled = new HashSet<long>();
            foreach (var frame in frames)
            {
                var placement = lane.Place(frame);
                if (random.Next(4) == 0 && placement == Placement.New)
                {
                    lane.BookLost(frame);
                    continue;
                }

                if (placement == Placement.Lost)
                {
                    lane.Recover(frame, (ulong)frame.First);
                }
                else
                {
                    lane.Settle(frame, (ulong)frame.First);
                }

                settled.Add(frame.First);
                if (random.Next(2) == 0)
                {
                    lane.TakeChanges(first => Assert.True(rows.Remove(first)), run => rows[run.Range.First] = run);
                }
            }

            lane.TakeChanges(first => Assert.True(rows.Remove(first)), run => rows[run.Range.First] = run);
            Assert.Equal(lane.Runs, rows.Values.OrderBy(r => r.Range.First));
            var shares = lane.PrefixShare + lane.Runs.Aggregate(0UL, (sum, r) => sum + r.Share);
            Assert.Equal(settled.Aggregate(0UL, (sum, s) => sum + (ulong)s), shares);
            var reloaded = new LaneLedger(lane.Prefix, lane.PrefixShare, rows.Values);
            foreach (var frame in frames)
            {
                Assert.Equal(lane.Place(frame), reloaded.Place(frame));
                Assert.Equal(settled.Contains(frame.First) ? Placement.Settled : Placement.Lost, reloaded.Place(frame));
            }
        }
    }
}
