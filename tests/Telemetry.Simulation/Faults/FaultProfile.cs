namespace Telemetry.Simulation.Faults;

/// <summary>Which faults a world has and how often, and what its gateways do at the end.</summary>
internal sealed record FaultProfile
{
    private static readonly Fault[] LogDamage =
        [Fault.LogWiped, Fault.LogPurged, Fault.LogExpired, Fault.LogPutBack];

    private const double ProbabilityMax = 0.6;

    /// <summary>The probability of a fault at each of its chances.</summary>
    public IReadOnlyDictionary<Fault, double> Chance { get; init; } = new Dictionary<Fault, double>();

    /// <summary>How often a fault strikes in a minute of simulated time.</summary>
    public IReadOnlyDictionary<Fault, double> PerMinute { get; init; } = new Dictionary<Fault, double>();

    /// <summary>How long faults go on while readings come.</summary>
    public TimeSpan Busy { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How it ends.</summary>
    public Tail Tail { get; init; }

    /// <summary>How many processors there are.</summary>
    public int Processors { get; init; } = 2;

    /// <summary>How long the log knows a message id.</summary>
    public TimeSpan DuplicateWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>True when a foreign broker stands before the ingress.</summary>
    public bool HasBroker { get; init; }

    /// <summary>
    /// True when purges don't spare what the backups of the database lack: then both together may lose something.
    /// </summary>
    public bool PurgesBeyondBackups { get; init; }

    /// <summary>
    /// Everything by chance: each world has about half of the faults, so that some have what others would hide (a lost
    /// reading is excused where log and database both were damaged).
    /// </summary>
    public static FaultProfile Swarm(Random random)
    {
        var outboxPutBack = random.Next(6) == 0;
        var outboxCloned = random.Next(6) == 0;
        var damagesLog = random.Next(3) > 0;
        var putsDatabaseBack = random.Next(2) == 0;
        bool Has(Fault fault) => fault switch
        {
            Fault.OutboxPutBack => outboxPutBack,
            Fault.OutboxCloned => outboxCloned,
            Fault.DatabasePutBack => putsDatabaseBack,
            _ when LogDamage.Contains(fault) => damagesLog && random.Next(2) == 0,
            Fault.AgentFrozen or Fault.IngressFrozen or Fault.ProcessorFrozen => random.Next(4) == 0,
            _ => random.Next(2) == 0,
        };
        var faults = Enum.GetValues<Fault>().Where(f => f < Fault.FrameQuarantined && Has(f)).ToArray();
        var intensity = random.Next(4) == 0 ? 3 : 1;
        double Rate(Fault fault) => Typical(fault) * intensity * (0.3 + (random.NextDouble() * 2));
        double Probability(Fault fault) => Math.Min(ProbabilityMax, Rate(fault));
        return new FaultProfile
        {
            Chance = faults.Where(f => f < Fault.LinkCut).ToDictionary(f => f, Probability),
            PerMinute = faults.Where(f => f >= Fault.LinkCut).ToDictionary(f => f, Rate),
            Busy = TimeSpan.FromSeconds(random.Next(20, 60)),
            // Where the log was damaged only the edge can heal a database put back: there the agents stay on.
            Tail = (Tail)random.Next(damagesLog || outboxPutBack || outboxCloned ? 2 : 3),
            HasBroker = random.Next(4) == 0,
            PurgesBeyondBackups = random.Next(4) == 0,
        };
    }

    /// <summary>A mix of these faults, each as often as is usual times <paramref name="factor"/>.</summary>
    public static FaultProfile Of(double factor, params Fault[] faults) => new()
    {
        Chance = faults.Where(f => f < Fault.LinkCut).ToDictionary(f => f, f => Typical(f) * factor),
        PerMinute = faults.Where(f => f >= Fault.LinkCut).ToDictionary(f => f, f => Typical(f) * factor),
    };

    /// <summary>True when the mix has a fault.</summary>
    public bool Has(Fault fault) => Chance.ContainsKey(fault) || PerMinute.ContainsKey(fault);

    private static double Typical(Fault fault) => fault switch
    {
        Fault.ConnectionRefused => 0.2,
        Fault.Disconnected or Fault.MessageLost or Fault.AckLost => 0.02,
        Fault.MessageDelayed => 0.02,
        Fault.AgentCrashAtCommit or Fault.ProcessorCrashAtCommit => 0.01,
        Fault.AgentClockSkewed or Fault.CloudClockSkewed => 0.5,
        Fault.FrameRefused or Fault.ReadingRejected => 0.02,
        Fault.RequestAnswerLost => 0.2,
        Fault.DiskCommitFailed or Fault.DiskReadFailed => 0.02,
        Fault.ProcessorFrozenInTransaction => 0.05,
        Fault.ReceiptLost or Fault.DownLost or Fault.DownDoubled or Fault.DownDelayed => 0.05,
        Fault.LogCallFailed or Fault.LogAnswerLost => 0.02,
        Fault.TransactionFailedBefore or Fault.TransactionFailedAfter or Fault.DatabaseCallFailed => 0.03,
        < Fault.LinkCut => 0.05,
        Fault.DatabasePutBack => 1.5,
        Fault.OutboxPutBack or Fault.OutboxCloned => 3,
        Fault.LogPurged or Fault.LogExpired => 5,
        _ => 2,
    };
}
