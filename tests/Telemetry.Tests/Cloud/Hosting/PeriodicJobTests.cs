using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Cloud.Hosting;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Cloud.Hosting;

public sealed class PeriodicJobTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1), Minute = TimeSpan.FromMinutes(1);

    private readonly Pump _pump = new();
    private readonly List<TimeSpan> _runs = [];

    [Fact]
    public void Failed_run_is_a_problem_until_a_later_one_works()
    {
        var failure = Failure();
        var problems = new List<string?>();

        Run(failure, Minute, default, untilRun: 4, run =>
        {
            problems.Add(failure.Problem);
            if (run is 1 or 2)
            {
                throw new StoreException($"run {run}", isDataFault: false, mayHaveCommitted: false);
            }
        });

        Assert.Equal([default, Minute, 2 * Minute, 3 * Minute], _runs);
        Assert.Equal([null, "run 1 (since 00:00:00Z)", "run 2 (since 00:00:00Z)", null], problems);
    }

    [Fact]
    public void First_run_may_wait()
    {
        Run(Failure(), Minute, Hour, untilRun: 2, _ => { });

        Assert.Equal([Hour, Hour + Minute], _runs);
    }

    [Fact]
    public void Fault_of_the_program_is_a_problem_too_and_ends_nothing()
    {
        var failure = Failure();
        var problems = new List<string?>();

        Run(failure, Minute, default, untilRun: 3, run =>
        {
            problems.Add(failure.Problem);
            if (run == 1)
            {
                throw new InvalidOperationException("it is wrong");
            }
        });

        Assert.Equal([default, Minute, 2 * Minute], _runs);
        Assert.Equal([null, "InvalidOperationException: it is wrong (since 00:00:00Z)", null], problems);
    }

    private ReportedFailure Failure() => new("It fails", "It works", _pump.Clock, NullLogger.Instance);

    /// <summary>Runs a job, and cancels it in its run number <paramref name="untilRun"/>.</summary>
    private void Run(
        ReportedFailure failure, TimeSpan every, TimeSpan firstAfter, int untilRun, Action<int> work)
    {
        using var stop = new CancellationTokenSource();
        var job = new PeriodicJob(
            _ =>
            {
                _runs.Add(_pump.Clock.Elapsed);
                if (_runs.Count == untilRun)
                {
                    stop.Cancel();
                }

                work(_runs.Count);
                return Task.CompletedTask;
            },
            every, failure, _pump.Clock)
        { FirstAfter = firstAfter };
        _pump.Run(() => job.RunAsync(stop.Token));
    }
}
