package trillianlog

const (
	childEnv    = "TRIEN_LOG_TEST_CHILD"
	childKeyEnv = "TRIEN_LOG_TEST_KEY"
)

func childMain() int { return 2 }
