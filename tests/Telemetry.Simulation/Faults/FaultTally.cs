using System.Globalization;
using System.Text;

namespace Telemetry.Simulation.Faults;

/// <summary>How often each fault struck.</summary>
internal sealed class FaultTally
{
    private readonly long[] _struck = new long[Enum.GetValues<Fault>().Length];

    public long this[Fault fault] => _struck[(int)fault];

    public void Count(Fault fault) => _struck[(int)fault]++;

    public void Add(FaultTally other)
    {
        for (var i = 0; i < _struck.Length; i++)
        {
            _struck[i] += other._struck[i];
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var fault in Enum.GetValues<Fault>())
        {
            text.Append(CultureInfo.InvariantCulture, $"{fault,-24} {this[fault],8}\n");
        }

        return text.ToString();
    }
}
