using System.Globalization;
using Telemetry.Model.Identity;
using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>What the judges found while the world ran: one line each, with time, gateway and frame.</summary>
internal sealed class Findings(TimeProvider time, Trace trace)
{
    private const int Max = 12;

    private readonly long _begun = time.GetTimestamp();
    private readonly List<string> _lines = [];
    private long _more;

    /// <summary>The first ones, and how many more there were.</summary>
    public IEnumerable<string> Lines => _more == 0 ? _lines : _lines.Append($"and {_more} more on the way");

    /// <summary>Notes one.</summary>
    public void Add(GatewayId gateway, FrameKey? frame, string what)
    {
        var seconds = time.GetElapsedTime(_begun).TotalSeconds.ToString("F6", CultureInfo.InvariantCulture);
        var line = $"{gateway} at {seconds} s{(frame is { } key ? $", frame {key}" : "")}: {what}";
        trace.Say($"! {line}");
        if (_lines.Count < Max)
        {
            _lines.Add(line);
        }
        else
        {
            _more++;
        }
    }
}
