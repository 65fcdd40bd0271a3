using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Time;

/// <summary>The promise on which the simulation rests: one seed, one run.</summary>
public sealed class PumpReplayTests
{
    private const int Seeds = 200;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Program_rich_in_async_replays_identically_by_seed(bool shuffled)
    {
        var traces = new HashSet<string>();
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var trace = TraceOf(seed, shuffled);
            Assert.Equal(trace, TraceOf(seed, shuffled));
            traces.Add(trace);
        }

        Assert.True(traces.Count > Seeds * 9 / 10, $"Only {traces.Count} different traces: the seed hardly matters.");
    }

    private static string TraceOf(int seed, bool shuffled)
    {
        var pump = new Pump(new PumpOptions { Order = shuffled ? new Random(seed) : null });
        var program = new Program(pump.Clock, new Random(seed));
        pump.Run(program.Run);
        return $"{program.Trace}{pump.Steps} steps, {pump.Clock.Elapsed}";
    }

    /// <summary>
    /// Three producers and two consumers around a channel, each with timeouts, limits and changes of mind.
    /// </summary>
    private sealed class Program(TimeProvider time, Random random)
    {
        private const int ItemsPerProducer = 8;

        private readonly Channel<int> _channel = Channel.CreateBounded<int>(
            new BoundedChannelOptions(2) { AllowSynchronousContinuations = true });
        private readonly SemaphoreSlim _permits = new(2);

        public StringBuilder Trace { get; } = new();

        public async Task Run()
        {
            using var stop = new CancellationTokenSource();
            var consumers = new[] { Consume("A"), Consume("B") };
            var ticking = Tick(stop.Token);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(Produce));
            _channel.Writer.Complete();
            await Task.WhenAll(consumers);
            await stop.CancelOnPump();
            await ticking;
        }

        private async Task Produce(int producer)
        {
            for (var i = 0; i < ItemsPerProducer; i++)
            {
                await _permits.WaitAsync();
                try
                {
                    await Pause();
                    using var patience = new CancellationTokenSource(
                        TimeSpan.FromMilliseconds(random.Next(1, 30)), time);
                    await _channel.Writer.WriteAsync(producer * 100 + i, patience.Token);
                    Say($"{producer} wrote {i}");
                }
                catch (OperationCanceledException)
                {
                    Say($"{producer} gave up {i}");
                }
                finally
                {
                    _permits.Release();
                }
            }
        }

        private async Task Consume(string name)
        {
            await foreach (var item in _channel.Reader.ReadAllAsync())
            {
                var work = Pause();
                var deadline = Task.Delay(TimeSpan.FromMilliseconds(10), time);
                var first = await Task.WhenAny(work, deadline);
                Say($"{name} read {item} {(first == work ? "in time" : "late")}");
                try
                {
                    await work.WaitAsync(TimeSpan.FromMilliseconds(3), time);
                }
                catch (TimeoutException)
                {
                    Say($"{name} left {item}");
                }
            }
        }

        private async Task Tick(CancellationToken stop)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(7), time);
            try
            {
                while (await timer.WaitForNextTickAsync(stop))
                {
                    Say("tick");
                    await Task.Yield();
                }
            }
            catch (OperationCanceledException)
            {
                Say("stopped");
            }
        }

        private Task Pause() => Task.Delay(TimeSpan.FromMilliseconds(random.Next(20)), time);

        private void Say(string what) => Trace.Append(
            CultureInfo.InvariantCulture, $"{time.GetUtcNow():ss.fff} {what}\n");
    }
}

file static class Cancelling
{
    /// <summary>CancelAsync would run the callbacks on the pool.</summary>
    public static async Task CancelOnPump(this CancellationTokenSource source)
    {
        await Task.Yield();
#pragma warning disable CA1849
        source.Cancel();
#pragma warning restore CA1849
    }
}
