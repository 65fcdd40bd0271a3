using System.Diagnostics;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Time;

public sealed class PumpTests
{
    private readonly Pump _pump = new();

    [Fact]
    public void A_day_of_waiting_passes_in_a_moment()
    {
        var real = Stopwatch.StartNew();

        var woken = _pump.Run(async () =>
        {
            await Task.Delay(TimeSpan.FromHours(23), _pump.Clock);
            return _pump.Clock.GetUtcNow();
        });

        Assert.Equal(new DateTimeOffset(2026, 1, 1, 23, 0, 0, TimeSpan.Zero), woken);
        Assert.True(real.Elapsed < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Result_and_error_of_the_program_reach_the_caller()
    {
        Assert.Equal(7, _pump.Run(async () =>
        {
            await Task.Yield();
            return 7;
        }));
        Assert.Throws<FormatException>(() => _pump.Run(async () =>
        {
            await Task.Yield();
            throw new FormatException();
        }));
    }

    [Fact]
    public void Waiting_for_what_never_comes_is_a_deadlock()
    {
        AssertFails(PumpFailure.Deadlock, () => new TaskCompletionSource().Task);
    }

    [Fact]
    public void Work_from_a_thread_of_the_pool_is_noticed()
    {
        AssertFails(PumpFailure.ForeignThread, () => Task.Run(() => Thread.Sleep(20)));
    }

    [Fact]
    public void Continuation_that_left_the_pump_is_noticed_when_it_comes_back()
    {
        AssertFails(PumpFailure.ForeignThread, async () =>
        {
            var signal = new TaskCompletionSource();
            // Awaited before it leaves: what has come to its end by then comes back to nobody.
            var waiting = Wait(Leave(signal.Task));
            signal.SetResult();
            await waiting;
        });

        static async Task Leave(Task task) => await task.ConfigureAwait(false);
        static async Task Wait(Task task) => await task;
    }

    [Fact]
    public void Timer_armed_on_another_thread_is_noticed()
    {
        AssertFails(PumpFailure.ForeignThread, async () =>
        {
            var thread = new Thread(() => _ = Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock));
            thread.Start();
            thread.Join();
            await Task.Yield();
            await Task.Yield();
        });
    }

    [Fact]
    public void Simulated_time_is_limited()
    {
        AssertFails(PumpFailure.TimeLimit, () => Task.Delay(TimeSpan.FromDays(2), _pump.Clock));
    }

    [Fact]
    public void Steps_are_limited()
    {
        var pump = new Pump(new PumpOptions { StepsMax = 1000 });

        var e = Assert.Throws<PumpException>(() => pump.Run(async () =>
        {
            while (true)
            {
                await Task.Yield();
            }
        }));

        Assert.Equal(PumpFailure.StepLimit, e.Failure);
    }

    [Fact]
    public void Error_that_nobody_awaits_fails_the_run()
    {
        Assert.Throws<FormatException>(() => _pump.Run(async () =>
        {
            Forgotten();
            await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock);
        }));

        static async void Forgotten()
        {
            await Task.Yield();
            throw new FormatException();
        }
    }

    [Fact]
    public void Tasks_without_a_scheduler_of_their_own_run_on_the_pump()
    {
        _pump.Run(async () =>
        {
            var thread = Environment.CurrentManagedThreadId;

            Assert.Equal(thread, await Task.Factory.StartNew(() => Environment.CurrentManagedThreadId));
            Assert.Equal(thread, await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock)
                .ContinueWith(_ => Environment.CurrentManagedThreadId));
        });
    }

    [Fact]
    public void What_one_run_left_goes_on_in_the_next()
    {
        Task? left = null;
        _pump.Run(() =>
        {
            left = Task.Delay(TimeSpan.FromSeconds(5), _pump.Clock);
            return Task.CompletedTask;
        });
        Assert.False(left!.IsCompleted);

        _pump.Run(() => left);

        Assert.Equal(TimeSpan.FromSeconds(5), _pump.Clock.Elapsed);
    }

    private void AssertFails(PumpFailure expected, Func<Task> program) =>
        Assert.Equal(expected, Assert.Throws<PumpException>(() => _pump.Run(program)).Failure);
}
