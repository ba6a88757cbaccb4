package pipeline

// Version is the version of the wire protocol, web/PROTOCOL.md.
const Version = 1

// Message holds the results of one analysed frame: web/PROTOCOL.md, "labels".
type Message struct {
	V       int               `json:"v"`
	Seq     uint64            `json:"seq"`
	RTP     uint32            `json:"rtp"`
	Model   string            `json:"model"` // the scores of Faces are in the order of its labels
	Width   int               `json:"width"`
	Height  int               `json:"height"`
	Dropped map[string]uint64 `json:"dropped"` // cumulative, by reason
	MS      Timing            `json:"ms"`
	Faces   []Label           `json:"faces"`
}

// Timing says how long each step of a frame took, in milliseconds. Total runs from the arrival of the frame's last
// packet to the sending of the message.
type Timing struct {
	Decode   float64 `json:"decode"`
	Detect   float64 `json:"detect"`
	Classify float64 `json:"classify"`
	Total    float64 `json:"total"`
}

// Label holds the results of one face.
type Label struct {
	ID         uint64     `json:"id"` // stays the same while the face stays
	Box        [4]float32 `json:"box"`
	Score      float32    `json:"score"` // of the detector
	Label      string     `json:"label"`
	Confidence float32    `json:"confidence"` // smoothed probability of Label
	AgeMS      float64    `json:"age_ms"`     // age of the scores
	Scores     []float32  `json:"scores"`     // smoothed probabilities, in the order of the model's labels
	Uncertain  bool       `json:"uncertain"`

	Attention *AttentionView `json:"attention,omitempty"` // on request
}
