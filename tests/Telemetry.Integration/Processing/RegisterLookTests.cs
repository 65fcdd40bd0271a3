using System.Diagnostics;
using System.Globalization;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>A gateway with many small frames in the register makes others wait little, whatever it sends.</summary>
public sealed class RegisterLookTests(ITestOutputHelper output)
{
    private const int Frames = 200_000;
    private const ulong Epoch = 9;

    /// <summary>What another gateway's frame may take. Measured 0.2 s; generous, as the machine may be busy.</summary>
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(4);

    private static readonly GatewayId Hostile = ProcessorStand.Gateway(1), Honest = ProcessorStand.Gateway(2);

    [ServersFact(nats: true, postgres: true)]
    public async Task Frames_that_repeat_settled_ranges_hold_up_no_other_gateways_frame()
    {
        await using var stand = await Filled();
        for (var sent = 0; sent < 4_000; sent++)
        {
            await stand.SendBytes(Hostile, Repeated(1 + sent));
        }

        var took = await Delay(stand);

        output.WriteLine($"stored after {took.TotalSeconds:0.00} s");
        Assert.InRange(took, TimeSpan.Zero, DelayMax);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Hellos_of_an_outbox_that_was_put_back_hold_up_no_other_gateways_frame()
    {
        await using var stand = await Filled();
        for (var number = 1; number <= 40; number++)
        {
            await stand.Say(Hostile, new Hello
            {
                Id = new HelloId(1, number),
                Full = true,
                Outbox = 5,
                Accepted = 9,
                Epochs =
                [
                    new HelloEpoch(
                        Epoch, new Predecessor(0, default),
                        [HelloLane.Empty, new HelloLane(number, 0, []), HelloLane.Empty]),
                ],
            });
        }

        var took = await Delay(stand);

        output.WriteLine($"stored after {took.TotalSeconds:0.00} s");
        Assert.InRange(took, TimeSpan.Zero, DelayMax);
    }

    /// <summary>A gateway that sent so many frames of one reading, as if over some hours, and another one.</summary>
    private static async Task<ProcessorStand> Filled()
    {
        var stand = await ProcessorStand.Start();
        await stand.SendSchema(Hostile);
        await stand.SendSchema(Honest);
        await stand.SendFloats(Hostile, 1);
        await stand.SendFloats(Honest, 1);
        await stand.WaitUntilSettled(2);
        await stand.Database.Execute($"""
            INSERT INTO telemetry.frame_register
            SELECT '{Hostile}', {Epoch}, 1, n, 1, 1, 0, 0, now(), now(), n, n, now()
            FROM generate_series(2, {Frames}) n;
            ANALYZE telemetry.frame_register;
            UPDATE telemetry.lane SET prefix = {Frames} WHERE gateway = '{Hostile}' AND lane = 1;
            UPDATE telemetry.epoch SET last_live = {Frames} WHERE gateway = '{Hostile}';
            UPDATE telemetry.partition SET commits = commits + 1
            """);
        await stand.SendFloats(Honest, 2);
        await stand.WaitUntilSettled(3);
        return stand;
    }

    /// <summary>A small frame that covers as many settled sequences as a frame may.</summary>
    private static byte[] Repeated(long first)
    {
        var batch = new ReadingBatch();
        batch.Add(0, 1_700_000_000_000_000, 1.5);
        var header = new FrameHeader
        {
            Key = new FrameKey(Epoch, Lane.Live, first, FrameHeader.CountMax),
            Dropped = FrameHeader.CountMax - 1,
            Schema = ProcessorStand.Schema.Id,
        };
        var frame = new WireWriter();
        FrameWriter.Write(
            frame, header, [new Declaration(0, FrameHeader.CountMax - 1, 5, 6, DropReason.Quota)], batch, [0],
            [MetricType.Float, MetricType.Text]);
        return frame.ToArray();
    }

    private static async Task<TimeSpan> Delay(ProcessorStand stand)
    {
        var watch = Stopwatch.StartNew();
        await stand.SendFloats(Honest, 3);
        await stand.Until(async () => long.Parse(
            await stand.Database.Row($"SELECT stored FROM telemetry.gateway WHERE gateway = '{Honest}'"),
            CultureInfo.InvariantCulture) == 3);
        return watch.Elapsed;
    }
}
