using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Storage.Postgres.Readings;

/// <summary>Which readings go to the columnstore at once.</summary>
public sealed class DirectCompressTests
{
    private readonly ReadingBuffer _readings = new();
    private readonly DirectCompress _direct = new(isOn: true);

    [Fact]
    public void Long_run_of_one_device_does()
    {
        Add(device: 1, readings: 999);
        Assert.False(_direct.Fits(_readings));

        Add(device: 1, readings: 1);

        Assert.True(_direct.Fits(_readings));
        Assert.False(new DirectCompress(isOn: false).Fits(_readings));
    }

    [Fact]
    public void Long_runs_outweigh_few_short_ones()
    {
        Add(device: 1, readings: 4_000);
        Add(device: 2, readings: 10);
        Add(device: 3, readings: 10);
        Assert.True(_direct.Fits(_readings));

        for (var device = 4; device < 6; device++)
        {
            Add(device, readings: 10);
        }

        Assert.False(_direct.Fits(_readings));
    }

    [Fact]
    public void Many_readings_of_many_devices_do_not()
    {
        for (var device = 1; device <= 150; device++)
        {
            Add(device, readings: 200);
        }

        Assert.False(_direct.Fits(_readings));
    }

    private void Add(int device, int readings)
    {
        var series = StoreSteps.Numbered(MetricType.Int);
        series.DeviceNumber = device;
        for (var n = 0; n < readings; n++)
        {
            _readings.Add(series, n, ReadingFlags.None, 1);
        }
    }
}
