namespace Telemetry.Agent.Hosting;

/// <summary>
/// Pauses between tries that grow from a second to a minute, and which failures are worth a line: the first of a kind,
/// then one an hour with their number. Used on one thread.
/// </summary>
internal sealed class RetryPause(TimeProvider time)
{
    public static readonly TimeSpan Min = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Max = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan SayAgainAfter = TimeSpan.FromHours(1);

    private string _problem = "";
    private long _saidAt;
    private long _startedAt = time.GetTimestamp();
    private int _failures;

    /// <summary>How often it failed so since it last worked.</summary>
    public int Repeats { get; private set; }

    /// <summary>A try begins.</summary>
    public void Start() => _startedAt = time.GetTimestamp();

    /// <summary>The try failed: how long to wait, and whether to say so.</summary>
    public (TimeSpan Pause, bool Say) Failed(string problem)
    {
        if (time.GetElapsedTime(_startedAt) > Max)
        {
            // It had worked for a while: this is another failure.
            (_failures, _problem) = (0, "");
        }

        var pause = Min * Math.Pow(2, Math.Min(_failures++, 16));
        var isNew = problem != _problem;
        Repeats = isNew ? 1 : Repeats + 1;
        _problem = problem;
        var say = isNew || time.GetElapsedTime(_saidAt) >= SayAgainAfter;
        _saidAt = say ? time.GetTimestamp() : _saidAt;
        return (pause < Max ? pause : Max, say);
    }
}
