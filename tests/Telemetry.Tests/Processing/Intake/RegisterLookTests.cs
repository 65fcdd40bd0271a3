using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Processing;
using Telemetry.Processing.Hellos;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Intake;

/// <summary>
/// How much of the frame register one transaction reads, whatever a gateway says and sends: others' frames wait for it.
/// </summary>
public sealed class RegisterLookTests
{
    private const int ReadingsMax = 1_000, FramesOfTransactionMax = 100;
    private const int LooksOfRepeatedMax = 100, LooksOfAnswersMax = 16;
    private readonly List<int> _looks = [];
    private readonly List<long> _frames = [];
    private readonly ProcessorRig _rig = ProcessorRig.WithSchema(
        new ProcessorOptions { BatchReadingsMax = ReadingsMax });
    private int _looksSoFar;
    private long _stoppedUntilMicros;

    public RegisterLookTests()
    {
        _rig.Store.Calls.LatencyMin = _rig.Store.Calls.LatencyMax = TimeSpan.FromMilliseconds(1);
        _rig.Store.Calls.LosesRequest = what =>
        {
            var stopped = _rig.NowMicros < _stoppedUntilMicros;
            _looksSoFar += what is "find frames" or "find first frames" && !stopped ? 1 : 0;
            return stopped;
        };
        _rig.Store.Committed = (commit, _, _) =>
        {
            _frames.Add(commit.Partitions[0].Live.Sequence - commit.Partitions[0].Expected.Live.Sequence);
            _looks.Add(_looksSoFar);
            _looksSoFar = 0;
        };
    }

    [Fact]
    public void Frames_that_repeat_settled_ranges_are_looked_up_together_and_weigh_what_it_costs()
    {
        _rig.Give(ProcessorRig.Floats(1, 2_000));
        _stoppedUntilMicros = _rig.NowMicros + 20_000_000; // Meanwhile they gather.

        _rig.Give([.. Enumerable.Range(1, 2_000).Select(first => Frame(ProcessorRig.Epoch, Lane.Live, first))]);

        Assert.True(_rig.Counters.Duplicates >= 2_000);
        Assert.InRange(_looks.Sum(), 1, LooksOfRepeatedMax);
        Assert.InRange(_frames.Max(), 1, FramesOfTransactionMax);
    }

    [Fact]
    public void Prefixes_of_many_epochs_are_cut_in_several_transactions_and_a_newer_hello_goes_on_with_them()
    {
        Lane[] lanes = [Lane.Live, Lane.Backlog];
        var epochs = Enumerable.Range(100, Hello.EpochsMax).Select(id => (ulong)id).ToArray();
        _rig.Give([.. epochs.SelectMany(e => lanes.SelectMany(l => new[] { Frame(e, l, 1), Frame(e, l, 2) }))]);
        var told = epochs.Select(e => Told(e, last: 1)).ToArray();

        _rig.Say(Said(1, told), Said(2, told));

        var answer = Assert.Single(Answers);
        Assert.Equal(new HelloId(1, 2), answer.InAnswerTo);
        Assert.Equal(epochs, answer.Epochs.Select(e => e.Epoch));
        Assert.All(
            answer.Epochs,
            e => Assert.All(
                lanes, lane => Assert.Equal((1, ShareOf(e.Epoch, lane, 1)), CutOf(e, lane))));
        Assert.Equal(epochs.Length * lanes.Length, _looks.Sum());
        Assert.InRange(_looks.Max(), 1, LooksOfAnswersMax);
    }

    [Fact]
    public void Prefix_is_cut_page_by_page_where_many_frames_lie_behind_the_cut()
    {
        const int frames = PrefixCuts.RowsOfRound + 1_000;
        _rig.Give([.. Enumerable.Range(1, frames).Select(first => Frame(ProcessorRig.Epoch, Lane.Live, first))]);
        _looks.Clear();

        _rig.Say(Said(1, [Told(ProcessorRig.Epoch, last: 2)]));

        var answer = Assert.Single(Answers);
        Assert.Equal(
            (2, ShareOf(ProcessorRig.Epoch, Lane.Live, 1) + ShareOf(ProcessorRig.Epoch, Lane.Live, 2)),
            CutOf(Assert.Single(answer.Epochs), Lane.Live));
        Assert.Equal((3, 2), (_looks.Sum(), _looks.Max()));
    }

    private IEnumerable<StoredAck> Answers => _rig.Acks.Select(a => a.Ack).Where(a => a.InAnswerTo is not null);

    // The critical lane waits for a frame, so that the epoch stays open.
    private static HelloEpoch Told(ulong epoch, long last)
    {
        var held = new HelloLane(last, last, [new SequenceRange(1, last)]);
        return new HelloEpoch(epoch, new Predecessor(0, default), [held, held, held]);
    }

    private static Hello Said(int number, HelloEpoch[] epochs) => new()
    {
        Id = new HelloId(1, number),
        Full = true,
        Outbox = 5,
        Accepted = 9,
        Epochs = epochs,
    };

    private static (long Prefix, ulong Share) CutOf(EpochSettlement epoch, Lane lane) =>
        (epoch.Lanes[(int)lane].Prefix, epoch.Lanes[(int)lane].PrefixShare);

    private static ulong ShareOf(ulong epoch, Lane lane, long first) =>
        new FrameKey(epoch, lane, first, 1).Share(ProcessorRig.ChecksumOf(Frame(epoch, lane, first)));

    private static byte[] Frame(ulong epoch, Lane lane, long first)
    {
        var batch = new ReadingBatch();
        batch.Add(0, 1_000_000 + first, 1.5);
        var header = new FrameHeader { Key = new FrameKey(epoch, lane, first, 1), Schema = Samples.Schema().Id };
        return Samples.Bytes(w => FrameWriter.Write(w, header, [], batch, [0], Samples.Series().Types));
    }
}
