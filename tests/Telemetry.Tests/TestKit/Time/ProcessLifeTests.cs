using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Time;

public sealed class ProcessLifeTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Pump _pump = new();
    private readonly List<string> _did = [];

    [Fact]
    public void Killed_life_takes_no_further_step_not_even_finally() => _pump.Run(async () =>
    {
        var life = new ProcessLife(_pump);
        var program = life.Run(async () =>
        {
            try
            {
                _did.Add("began");
                await Task.Delay(2 * Second, life.Time);
                _did.Add("went on");
            }
            finally
            {
                _did.Add("cleaned up");
            }
        });

        await Task.Delay(Second, _pump.Clock);
        life.Kill();
        await Task.Delay(10 * Second, _pump.Clock);

        Assert.Equal(["began"], _did);
        Assert.False(program.IsCompleted);
        Assert.True(life.Died.IsCompleted);
    });

    [Fact]
    public void Result_that_arrives_after_the_kill_is_never_seen() => _pump.Run(async () =>
    {
        var life = new ProcessLife(_pump);
        var answer = new TaskCompletionSource<int>();
        var program = life.Run(async () =>
        {
            _did.Add($"got {await answer.Task}");
            return true;
        });

        await Task.Yield();
        life.Kill();
        answer.SetResult(1);
        await Task.Delay(Second, _pump.Clock);

        Assert.Empty(_did);
        Assert.False(program.IsCompleted);
    });

    [Fact]
    public void Result_that_arrived_just_before_the_kill_is_not_seen_either() => _pump.Run(async () =>
    {
        var life = new ProcessLife(_pump);
        var answer = new TaskCompletionSource<int>();
        _ = life.Run(async () => _did.Add($"got {await answer.Task}"));

        await Task.Yield();
        answer.SetResult(1);
        life.Kill();
        await Task.Delay(Second, _pump.Clock);

        Assert.Empty(_did);
    });

    [Fact]
    public void Timers_of_a_killed_life_neither_fire_nor_keep_time_going()
    {
        var life = new ProcessLife(_pump);
        var e = Assert.Throws<PumpException>(() => _pump.Run(async () =>
        {
            using var periodic = life.Time.CreateTimer(_ => _did.Add("fired"), null, Second, Second);
            await Task.Delay(2.5 * Second, _pump.Clock);
            life.Kill();
            await new TaskCompletionSource().Task;
        }));

        Assert.Equal(PumpFailure.Deadlock, e.Failure);
        Assert.Equal(["fired", "fired"], _did);
        Assert.Equal(2.5 * Second, _pump.Clock.Elapsed);
    }

    [Fact]
    public void Other_lives_go_on() => _pump.Run(async () =>
    {
        var (first, second) = (new ProcessLife(_pump), new ProcessLife(_pump));
        _ = first.Run(() => Task.Delay(2 * Second, first.Time));
        var other = second.Run(async () =>
        {
            await Task.Delay(2 * Second, second.Time);
            return "done";
        });

        await Task.Delay(Second, _pump.Clock);
        first.Kill();

        Assert.Equal("done", await other);
    });

    [Fact]
    public void Continuations_without_await_die_too() => _pump.Run(async () =>
    {
        var life = new ProcessLife(_pump);
        _ = life.Run(() => Task.Delay(2 * Second, _pump.Clock).ContinueWith(_ => _did.Add("continued")));

        await Task.Delay(Second, _pump.Clock);
        life.Kill();
        await Task.Delay(5 * Second, _pump.Clock);

        Assert.Empty(_did);
    });

    [Fact]
    public void Guarded_task_ends_in_life_and_never_after_it() => _pump.Run(async () =>
    {
        var life = new ProcessLife(_pump);
        Assert.Equal(1, await life.Guard(Task.FromResult(1)));
        await Assert.ThrowsAsync<FormatException>(() => life.Guard(Task.FromException<int>(new FormatException())));

        var guarded = life.Guard(Task.FromResult(2));
        life.Kill();
        await Task.Delay(Second, _pump.Clock);

        Assert.False(guarded.IsCompleted);
    });
}
