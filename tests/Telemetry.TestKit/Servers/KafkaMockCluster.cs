using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// librdkafka's mock cluster inside this process: a stand-in where there is no Kafka. It speaks the protocol, keeps
/// records in memory, and takes transactions without meaning anything by them: no fencing, and read_committed sees what
/// was aborted. So it may show alerts, and prove nothing. It makes topics by itself when they are asked for.
/// </summary>
public sealed partial class KafkaMockCluster : IDisposable
{
    private const string Native = "librdkafka";
    private const int Producer = 0;
    private const int ErrorBytes = 512;

    // The builds that the package brings for Linux, in the order in which Confluent.Kafka tries them.
    private static readonly string[] Builds = [Native, "centos8-librdkafka", "alpine-librdkafka"];

    private IntPtr _client;
    private IntPtr _cluster;

    static KafkaMockCluster() => NativeLibrary.SetDllImportResolver(typeof(KafkaMockCluster).Assembly, Resolve);

    /// <summary>Starts brokers on free ports of 127.0.0.1.</summary>
    public KafkaMockCluster(int brokers = 1)
    {
        var error = new byte[ErrorBytes];
        var configuration = NewConfiguration();
        // Without a word on stderr that this client has no brokers: warnings and worse alone.
        Set(configuration, "log_level", "4", error, ErrorBytes);
        _client = New(Producer, configuration, error, ErrorBytes);
        if (_client == IntPtr.Zero)
        {
            throw new InvalidOperationException($"librdkafka: {Encoding.UTF8.GetString(error).TrimEnd('\0')}");
        }

        _cluster = NewCluster(_client, brokers);
        Servers = Marshal.PtrToStringUTF8(Bootstraps(_cluster))
            ?? throw new InvalidOperationException("librdkafka started no mock cluster.");
    }

    /// <summary>Brokers to begin with: host:port.</summary>
    public string Servers { get; }

    /// <summary>Makes a topic.</summary>
    public void CreateTopic(string name, int partitions)
    {
        if (CreateTopic(_cluster, name, partitions, 1) is not 0 and var code)
        {
            throw new InvalidOperationException($"librdkafka: the topic {name} was not made ({code}).");
        }
    }

    public void Dispose()
    {
        if (_client != IntPtr.Zero)
        {
            DestroyCluster(_cluster);
            Destroy(_client);
            (_client, _cluster) = (IntPtr.Zero, IntPtr.Zero);
        }
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name == Native)
        {
            foreach (var build in Builds)
            {
                if (NativeLibrary.TryLoad(build, typeof(Library).Assembly, path, out var library))
                {
                    return library;
                }
            }
        }

        return IntPtr.Zero;
    }

    [LibraryImport(Native, EntryPoint = "rd_kafka_conf_new")]
    private static partial IntPtr NewConfiguration();

    [LibraryImport(
        Native, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Set(IntPtr configuration, string name, string value, byte[] error, nint errorBytes);

    // Takes the configuration over when it succeeds.
    [LibraryImport(Native, EntryPoint = "rd_kafka_new")]
    private static partial IntPtr New(int type, IntPtr configuration, byte[] error, nint errorBytes);

    [LibraryImport(Native, EntryPoint = "rd_kafka_destroy")]
    private static partial void Destroy(IntPtr client);

    [LibraryImport(Native, EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial IntPtr NewCluster(IntPtr client, int brokers);

    [LibraryImport(Native, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial IntPtr Bootstraps(IntPtr cluster);

    [LibraryImport(Native, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void DestroyCluster(IntPtr cluster);

    [LibraryImport(Native, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateTopic(IntPtr cluster, string topic, int partitions, int replicas);
}
