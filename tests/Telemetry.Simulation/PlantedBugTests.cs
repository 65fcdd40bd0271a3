using Telemetry.Simulation.Faults;
using Telemetry.Simulation.Planted;
using Telemetry.TestKit.Simulated;
using Xunit.Abstractions;

namespace Telemetry.Simulation;

/// <summary>
/// Each plants one mistake in a part and looks whether the simulation finds it: in at least one of twenty worlds of a
/// mix that has the faults which the mistake matters to, and in none of those when the part is the ordinary one.
/// </summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    private const int Seeds = 80;
    private const int FoundMin = Seeds / 20;

    [Fact]
    public void Acknowledging_before_the_commit_is_found() => Found(
        FaultProfile.Of(3, Fault.AgentCrashAtCommit, Fault.AgentCrash, Fault.PowerCut),
        new Parts { File = file => new AcknowledgingFile(file) });

    [Fact]
    public void Deleting_on_puback_is_found() => Found(
        FaultProfile.Of(3, Fault.LogWiped, Fault.ProcessorCrash, Fault.TransactionFailedBefore),
        new Parts { Link = link => new SettlingLink(link) });

    [Fact]
    public void Resending_with_the_same_message_id_is_found() => Found(
        FaultProfile.Of(4, Fault.DatabasePutBack, Fault.LogPurged, Fault.DownLost, Fault.ControlMessageLost) with
        {
            PurgesBeyondBackups = true,
            DuplicateWindow = TimeSpan.FromHours(1),
        },
        new Parts { Link = link => new FirstAttemptLink(link) });

    [Fact]
    public void Going_on_from_what_was_fetched_is_found() => Found(
        FaultProfile.Of(2, Fault.DatabasePutBack, Fault.TransactionFailedBefore),
        new Parts { ProcessorLog = log => new FetchedLog(log) });

    [Fact]
    public void Idle_owner_that_does_not_compare_its_row_is_found() => Found(
        FaultProfile.Of(1, Fault.DatabasePutBack) with { Tail = Tail.AgentsOff, Processors = 1 },
        new Parts { Store = store => new BlindRenewalStore((SimulatedStore)store) });

    [Fact]
    public void Taking_an_answer_to_an_older_hello_is_found() => Found(
        new FaultProfile
        {
            // Frames without a receipt wait long, and so does the word of the database that is put back meanwhile.
            Chance = new Dictionary<Fault, double>
            {
                [Fault.ReceiptLost] = 0.97,
                [Fault.DownDelayed] = 0.8,
                [Fault.ControlMessageDelayed] = 0.2,
                [Fault.DownLost] = 0.4,
            },
            PerMinute = new Dictionary<Fault, double> { [Fault.DatabasePutBack] = 10, [Fault.LogWiped] = 30 },
            Busy = TimeSpan.FromMinutes(3),
        },
        new Parts { Answers = () => new AnyAnswer() });

    [Fact]
    public void Swallowing_an_error_at_the_commit_is_found() => Found(
        FaultProfile.Of(2, Fault.DiskCommitFailed, Fault.AgentCrash),
        new Parts { File = file => new SwallowingFile(file) });

    [Fact]
    public void Freeing_beyond_what_is_settled_is_found() => Found(
        FaultProfile.Of(2, Fault.AgentCrash, Fault.LinkCut),
        new Parts { Link = link => new CompletingLink(link) });

    [Fact]
    public void Watermark_that_does_not_wait_for_what_is_on_its_way_is_found() => Found(
        FaultProfile.Of(3, Fault.LinkCut, Fault.MessageLost, Fault.AgentCrash),
        new Parts { Link = link => new RashLink(link) });

    [Fact]
    public void Extending_the_ledger_outside_the_transaction_is_found() => Found(
        FaultProfile.Of(2, Fault.TransactionFailedBefore),
        new Parts { Store = store => new LedgerFirstStore((SimulatedStore)store) });

    [Fact]
    public void Forgetting_where_alert_rules_must_be_run_again_is_found() => Found(
        FaultProfile.Of(3, Fault.LinkCut, Fault.ProcessorCrash),
        new Parts { Store = store => new ForgottenGapsStore((SimulatedStore)store) });

    [Fact]
    public void Running_alert_rules_again_without_the_last_reading_is_found() => Found(
        FaultProfile.Of(3, Fault.LinkCut),
        new Parts { Store = store => new ShortRunStore((SimulatedStore)store) });

    [Fact]
    public void Keeping_parts_that_are_folded_anew_is_found() => Found(
        FaultProfile.Of(2, Fault.ProcessorCrash, Fault.TransactionFailedAfter),
        new Parts { Store = store => new KeptPartsStore((SimulatedStore)store) });

    [Fact]
    public void Forgetting_the_windows_of_a_dead_owner_is_found() => Found(
        FaultProfile.Of(2, Fault.ProcessorCrash),
        new Parts { Store = store => new ForgottenWindowsStore((SimulatedStore)store) });

    [Fact]
    public void Writing_parts_outside_the_transaction_is_found() => Found(
        FaultProfile.Of(2, Fault.TransactionFailedBefore),
        new Parts { Store = store => new PartsFirstStore((SimulatedStore)store) });

    [Fact]
    public void Reading_back_too_little_is_found() => Found(
        FaultProfile.Of(2, Fault.ProcessorCrash),
        new Parts { Store = store => new ShortRebuildStore((SimulatedStore)store) });

    [Fact]
    public void Handing_over_without_the_open_windows_is_found() => Found(
        FaultProfile.Of(2, Fault.ProcessorStopped),
        new Parts { Store = store => new EmptyHandoverStore((SimulatedStore)store) });

    private void Found(FaultProfile mix, Parts parts)
    {
        var found = new List<SimulationResult>();
        var seed = 0;
        while (found.Count < FoundMin && seed < Seeds)
        {
            var result = SimulationRun.Run(++seed, mix, parts);
            if (!result.IsGood)
            {
                output.WriteLine(result.ToString());
                found.Add(result);
            }
        }

        output.WriteLine($"{found.Count} of {seed} seeds, {100.0 * found.Count / seed:F0} %");
        Assert.True(found.Count >= FoundMin, $"found by {found.Count} of {seed} seeds");
        foreach (var result in found)
        {
            var ordinary = SimulationRun.Run(result.Seed, mix, Parts.Ordinary);
            Assert.True(ordinary.IsGood, $"with ordinary parts: {ordinary}\n{ordinary.Story}");
        }
    }
}
